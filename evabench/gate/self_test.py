"""`evabench gate --self-test`: the gate proves itself before it speaks.

Equal sides must not fail, and faults that are planted in the head must be found: in the counted layer +5 % of peak
bytes and one more host read, in each timed layer a slow-down of twice the margin, looked for once more where it
was not found. "Not found" (the gate passed it) and "undecided" (the machine shows neither) are different answers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from evabench.errors import ExitCode
from evabench.gate.counted import CountedCell, Counting, count_cells, judge_counted
from evabench.gate.rules import TimedLayer
from evabench.gate.sides import Sides
from evabench.gate.timed import Series, Timed, TimedCell, time_cells
from evabench.records.cell import Cell
from evabench.records.codec import encode
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.units import Seconds

Answer = Literal["as it should be", "not found", "false alarm", "undecided"]

_PEAK_SHARE, _TRIES = 0.05, 2
_PLANTED = "evabench.worker.planted:planted"
_LAYER_NAMES: dict[TimedLayer, str] = {"own_time": "the optimizer's own time", "step": "the step"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that the gate has to say, and what it said."""

    what: str
    answer: Answer
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visible:
    """What one cell can see here and now."""

    cell: str
    layer: TimedLayer
    smallest_slowdown: float  # that nine gates of ten would find at their last look


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """What has come of all checks."""

    checks: tuple[Check, ...]
    visible: tuple[Visible, ...] = field(default=())

    @property
    def exit_code(self) -> ExitCode:
        """Return 5 where a fault was not found or equal sides failed: no answer of such a gate is worth anything."""
        answers = {check.answer for check in self.checks}
        if answers & {"not found", "false alarm"}:
            return ExitCode.INVALID_ENVIRONMENT
        return ExitCode.INCONCLUSIVE if "undecided" in answers else ExitCode.PASS


def plant(cell: Cell, *, spin_seconds: Seconds = 0.0, state_bytes: int = 0, host_reads: int = 0) -> Cell:
    """Return the cell with a fault in its optimizer."""
    settings = cell.optimizer
    faulty = PluginSettings(
        name=_PLANTED,
        takes_model=True,
        closure=isinstance(settings, PluginSettings) and settings.closure,
        refresh_every=settings.cycle_steps,
        options={
            "settings": encode(OptimizerSettings, settings),
            "spin_seconds": spin_seconds,
            "state_bytes": state_bytes,
            "host_reads": host_reads,
        },
    )
    return replace(cell, optimizer=faulty)


def check_counted(name: str, cell: Cell, sides: Sides, counting: Counting, ignored_bytes: int) -> tuple[Check, ...]:
    """Return what the counted layer says to an equal head, and to each of its two faults."""
    launch = sides.launch_of("head")
    base = count_cells({name: cell}, launch, replace(counting, jobs=1))[name]
    peak_bytes = base.values.get("peak bytes")
    if not peak_bytes:
        said = ", ".join(base.failures) or "no peak was counted"
        return (Check(what=f"{name}: the counted layer", answer="undecided", said=said),)
    more_bytes = max(math.ceil(_PEAK_SHARE * peak_bytes), ignored_bytes + 1)
    faults = {
        f"+{more_bytes / peak_bytes:.1%} of peak bytes": ("peak bytes", plant(cell, state_bytes=more_bytes)),
        "one more host read": ("host reads per cycle", plant(cell, host_reads=1)),
    }
    cells = {"equal sides": cell} | {what: faulty for what, (_, faulty) in faults.items()}
    heads = count_cells(cells, launch, counting)
    checks = [_check_equal(name, base, heads["equal sides"], ignored_bytes)]
    for what, (counter, _) in faults.items():
        failing = _failing(name, base, heads[what], ignored_bytes)
        found = counter in failing
        said = ", ".join((*failing, *heads[what].failures)) or "nothing"
        checks.append(
            Check(
                what=f"{name}: {what}",
                answer="as it should be" if found else "undecided" if heads[what].failures else "not found",
                said=f"failing: {said}",
            )
        )
    return tuple(checks)


def _check_equal(name: str, base: CountedCell, head: CountedCell, ignored_bytes: int) -> Check:
    failing = _failing(name, base, head, ignored_bytes)
    failures = (*base.failures, *head.failures)
    answer: Answer = "false alarm" if failing else "undecided" if failures else "as it should be"
    return Check(
        what=f"{name}: equal sides, counted",
        answer=answer,
        said=f"failing: {', '.join((*failing, *failures)) or 'nothing'}",
    )


def _failing(name: str, base: CountedCell, head: CountedCell, ignored_bytes: int) -> tuple[str, ...]:
    judged = judge_counted({name: head}, {name: base}, None, key="here", ignored_bytes=ignored_bytes)
    return tuple(change.counter for change in judged.changes if change.fails)


def check_timed(cells: Sequence[TimedCell], series: Series) -> tuple[tuple[Check, ...], tuple[Visible, ...]]:
    """Return what the timed layers say to equal sides and to a slow-down of twice the margin, and what they can see.

    The faults are planted in the cell and layer with the least noise.
    """
    equal, checks = _equal_sides(cells, series)
    looks = {(one.cell, one.layer): one.looks[-1] for one in equal if one.looks}
    visible = tuple(
        Visible(cell=cell, layer=layer, smallest_slowdown=seen.smallest_visible)
        for (cell, layer), seen in looks.items()
    )
    for layer in _LAYER_NAMES:
        quiet = sorted((one for one in equal if one.layer == layer and one.looks), key=lambda one: one.looks[-1].noise)
        if not quiet:
            checks.append(Check(what=f"a slower {layer}", answer="undecided", said="no cell could be timed"))
            continue
        cell = next(one for one in cells if one.name == quiet[0].cell)
        checks.append(_check_slow(cell, quiet[0], series))
    return tuple(checks), visible


def _equal_sides(cells: Sequence[TimedCell], series: Series) -> tuple[tuple[Timed, ...], list[Check]]:
    found: dict[tuple[str, TimedLayer], Timed] = {}
    left = list(cells)
    for try_ in range(_TRIES):
        series.tell(f"equal sides, try {try_ + 1}")
        made = time_cells(left, replace(series, layout=f"{series.layout} equal {try_}"))
        found |= {(one.cell, one.layer): one for one in made}
        failed = {one.cell for one in made if one.answer == "regression"}
        left = [cell for cell in left if cell.name in failed]
        if not left:
            break
    words: dict[str, Answer] = {"regression": "false alarm", "pass": "as it should be"}
    checks = [
        Check(
            what=f"{one.cell}: {_LAYER_NAMES[one.layer]}, equal sides",
            # Undecided is no failure of equal sides: they must not be called slower.
            answer=words.get(one.answer, "undecided" if one.looks == () else "as it should be"),
            said=_said(one),
        )
        for one in found.values()
    ]
    return tuple(found.values()), checks


def _check_slow(cell: TimedCell, equal: Timed, series: Series) -> Check:
    margin = equal.looks[-1].margin
    seconds = sorted(pair.base_seconds for pair in equal.pairs)[len(equal.pairs) // 2]
    slowdown = 2 * margin
    faulty = replace(
        cell,
        cells={"base": cell.cells["base"], "head": plant(cell.cells["head"], spin_seconds=slowdown * seconds)},
        tests={equal.layer: cell.tests[equal.layer]},
    )
    what = f"{cell.name}: {_LAYER_NAMES[equal.layer]} slower by {slowdown:.0%}"
    for try_ in range(_TRIES):
        series.tell(f"{what}, try {try_ + 1}")
        (timed,) = time_cells([faulty], replace(series, layout=f"{series.layout} {equal.layer} slow {try_}"))
        if timed.answer == "regression":
            return Check(what=what, answer="as it should be", said=_said(timed))
    answer: Answer = "not found" if timed.answer == "pass" else "undecided"
    return Check(what=what, answer=answer, said=_said(timed))


def _said(timed: Timed) -> str:
    if not timed.looks:
        return f"{timed.answer}: {timed.reason}"
    seen = timed.looks[-1]
    return f"{timed.answer}: {seen.slowdown:+.1%} ({seen.lower:+.1%} to {seen.upper:+.1%}) after {seen.num_pairs} pairs"
