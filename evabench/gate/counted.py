"""The counted layer: what each cell of a suite does in a step, without a clock and so without noise."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from evabench.gate.baseline import Baseline
from evabench.gate.counters import NUM_LOSSES, PORTABLE, Change, Number, Values, changes, counters_of
from evabench.launch.launcher import Launch, Launcher
from evabench.records.cell import Cell
from evabench.records.convergence import Convergence
from evabench.records.measurement import ConvergenceSettings, CountsSettings, MeasurementSettings, MemorySettings
from evabench.records.memory import Memory
from evabench.records.request import ChildReply, Request
from evabench.runner.session import Session, perform
from evabench.settings.strict import Strict
from evabench.units import Bytes, Seconds

_KINDS: tuple[MeasurementSettings, ...] = (
    MemorySettings(),
    CountsSettings(),
    ConvergenceSettings(steps=NUM_LOSSES, evaluate_every=NUM_LOSSES // 2, schedule="constant"),
)
NUM_PROCESS_PEAKS = 3
_PROCESS_SHARE, _PROCESS_BYTES = 0.03, 32 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedCell(Strict):
    """What was counted of one cell on one side."""

    values: Mapping[str, Number]
    losses: tuple[float | None, ...] = ()
    process_peaks: tuple[Bytes, ...] = ()  # of each run that tracked its memory: VmHWM, or on the device by NVML
    failures: tuple[str, ...] = ()  # measurements that did not complete, and why


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessPeak(Strict):
    """The peak of memory of the process, of both sides."""

    cell: str
    base_bytes: Bytes  # medians
    head_bytes: Bytes

    @property
    def fails(self) -> bool:
        """Return whether the head's process is larger by more than 3 % and by more than 32 MiB."""
        return self.head_bytes - self.base_bytes > max(_PROCESS_SHARE * self.base_bytes, _PROCESS_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted(Strict):
    """What the counted layer has found."""

    num_cells: int
    key: str  # of keyed counters here: torch's version and the CPU's kernels
    changes: tuple[Change, ...] = ()
    process_peaks: tuple[ProcessPeak, ...] = ()
    missing: tuple[str, ...] = ()  # what a gate must have, and has not: exit 3
    not_tested: tuple[str, ...] = ()  # keyed counters that nothing here can be compared with
    first_loss_changes: Mapping[str, int] = field(default_factory=dict)  # by cell: the first step whose loss differs


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """How cells are counted."""

    timeout_seconds: Seconds
    jobs: int
    device_index: int = 0
    tell: Callable[[str], None] = lambda line: None


def count_cells(
    cells: Mapping[str, Cell], launch: Launch, counting: Counting, *, peaks: int = 1
) -> dict[str, CountedCell]:
    """Return the counters of each cell, by name. `peaks` is how often the memory of each process is looked at."""
    asked = [
        (name, replace(cell, measurement=kind), seed)
        for name, cell in cells.items()
        for kind in _KINDS
        for seed in range(peaks if isinstance(kind, MemorySettings) else 1)
    ]
    session = Session(layout="counted", runs=tuple(asked), alone=counting.jobs == 1, whole=False)
    done = 0

    def count(server: Launcher, one: tuple[str, Cell, int]) -> tuple[str, int, ChildReply]:
        name, cell, seed = one
        request = Request(
            cell=cell,
            seed=seed,
            warmup_steps=0,
            timeout_seconds=counting.timeout_seconds,
            device_index=counting.device_index,
        )
        return name, seed, server.perform(request)

    def ended(results: Sequence[tuple[str, int, ChildReply]]) -> None:
        nonlocal done
        done += len(results)
        if done % max(1, len(asked) // 4) == 0 or done == len(asked):
            counting.tell(f"counted {done} of {len(asked)}")

    by_cell: defaultdict[str, list[tuple[int, ChildReply]]] = defaultdict(list)
    for name, seed, reply in perform(session, launch, count, ended=ended, jobs=counting.jobs):
        by_cell[name].append((seed, reply))
    return {name: _counted(by_cell[name]) for name in cells}


def _counted(replies: Iterable[tuple[int, ChildReply]]) -> CountedCell:
    values: dict[str, Number] = {}
    losses: tuple[float | None, ...] = ()
    process_peaks, failures = [], []
    for seed, reply in replies:
        measured = reply.measured
        if measured is None:
            failures.append(f"{reply.outcome.kind}: {reply.outcome.reason}")
            continue
        if seed == 0:
            values |= counters_of(measured)
        if isinstance(measured, Convergence):
            losses = measured.training_losses
        if isinstance(measured, Memory) and (peak := _process_peak(measured)) is not None:
            process_peaks.append(peak)
    return CountedCell(
        values=values,
        losses=losses,
        process_peaks=tuple(process_peaks),
        failures=tuple(dict.fromkeys(failures)),
    )


def _process_peak(memory: Memory) -> Bytes | None:
    """Return the peak of the process: on the device where NVML has seen it, else its high-water mark in the host."""
    on_device = memory.device.process_bytes if memory.device else None
    return memory.rss_high_water_bytes if on_device is None else on_device


def judge_counted(
    head: Mapping[str, CountedCell],
    base: Mapping[str, CountedCell] | None,
    baseline: Baseline | None,
    *,
    key: str,
    ignored_bytes: int,
) -> Counted:
    """Return what has changed.

    Portable counters are held against the baseline where there is one, else against the base. Keyed ones are held
    against the base, and against a baseline of this key: what either of them has is accepted.
    """
    found: list[Change] = []
    not_tested = []
    missing = [f"{cell}: {why}" for cell, one in head.items() for why in one.failures]
    keyed = baseline.keyed.get(key) if baseline else None
    if baseline is not None:
        missing += baseline.missing({cell: one.values for cell, one in head.items() if not one.failures})
    elif base is None:
        missing.append("there is no baseline, and no base: nothing to compare with. Make it: --refresh-baseline")
    for cell, one in head.items():
        before = base[cell].values if base and not base[cell].failures else None
        if base and base[cell].failures:
            not_tested.append(f"{cell}: the base could not be counted ({base[cell].failures[0]})")
        there = _references(cell, before, keyed)
        if not there:
            not_tested.append(f"{cell}: nothing has counters for {key}")
        portable = {"the baseline": baseline.portable.get(cell, {})} if baseline else there
        for references, is_portable in ((portable, True), (there, False)):
            names = _names(one.values, references.values(), portable=is_portable)
            found += changes(cell, one.values, references, names=names, ignored_bytes=ignored_bytes)
    return Counted(
        num_cells=len(head),
        key=key,
        changes=tuple(found),
        process_peaks=_process_peaks(head, base),
        missing=tuple(missing),
        not_tested=tuple(not_tested),
        first_loss_changes=_first_loss_changes(head, base),
    )


def _references(cell: str, before: Values | None, keyed: Mapping[str, Values] | None) -> dict[str, Values]:
    found = {} if before is None else {"base": before}
    if keyed and cell in keyed:
        found["the baseline"] = keyed[cell]
    return found


def _names(values: Values, references: Iterable[Values], *, portable: bool) -> list[str]:
    names = dict.fromkeys((*values, *(name for one in references for name in one)))
    return [name for name in names if (name in PORTABLE) is portable]


def _process_peaks(head: Mapping[str, CountedCell], base: Mapping[str, CountedCell] | None) -> tuple[ProcessPeak, ...]:
    return tuple(
        ProcessPeak(
            cell=cell,
            base_bytes=round(median(base[cell].process_peaks)),
            head_bytes=round(median(one.process_peaks)),
        )
        for cell, one in (head.items() if base else ())
        if base and min(len(one.process_peaks), len(base[cell].process_peaks)) >= NUM_PROCESS_PEAKS
    )


def _first_loss_changes(head: Mapping[str, CountedCell], base: Mapping[str, CountedCell] | None) -> dict[str, int]:
    found = {}
    for cell, one in head.items() if base else ():
        pairs = zip(one.losses, base[cell].losses if base else (), strict=False)
        step = next((step for step, (after, before) in enumerate(pairs, start=1) if after != before), None)
        if step is not None:
            found[cell] = step
    return found
