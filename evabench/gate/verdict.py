"""What a gate says: its findings, one sentence each, and the exit code that follows from them.

    regression     exit 1   confirmed, or counted; but not of a quarantined cell
    invalid        exit 5   the machine failed its control twice, or the measuring code changed: no timed answer counts
    missing        exit 3   something that had to be measured was not
    undecided      exit 4   with --strict: inconclusive, too noisy, not confirmed, not compared, not covered, not tested
    quarantined    exit 0   as all that follows
    change         exit 0   a counter that is another one, within its tolerance or lower
    note           exit 0

A regression that was found counts before an environment that is unfit, that before what is missing, that before what is
undecided: exit 1 means a regression and nothing else.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from evabench.errors import ExitCode
from evabench.gate.clocks import Clocks
from evabench.gate.control import Control, last_tries
from evabench.gate.counted import Counted
from evabench.gate.counters import Change
from evabench.gate.report import Coverage, GateReport
from evabench.gate.timed import Timed
from evabench.units import format_bytes, format_seconds

Kind = Literal["regression", "invalid", "missing", "undecided", "quarantined", "change", "note"]
Layer = Literal["counted", "own_time", "step", "process_peak", "control", "clocks", "coverage", "gate"]

_CODES: dict[Kind, ExitCode] = {
    "regression": ExitCode.REGRESSION,
    "invalid": ExitCode.INVALID_ENVIRONMENT,
    "missing": ExitCode.INCOMPLETE,
    "undecided": ExitCode.INCONCLUSIVE,
}
LAYER_WORDS = {"own_time": "the optimizer's own time", "step": "the step"}
_MAX_LINES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One sentence of the gate's answer."""

    kind: Kind
    layer: Layer
    cell: str | None
    text: str


def findings(report: GateReport) -> tuple[Finding, ...]:
    """Return all that there is to say, the worst first."""
    invalid = [control for control in last_tries(report.controls).values() if not control.valid]
    counts = not invalid and (report.clocks is None or report.clocks.valid)
    found = [
        *_of_controls(invalid),
        *(_of_clocks(report.clocks) if report.clocks else ()),
        *(one for timed in report.timed for one in _of_timed(timed, counts=counts)),
        *(Finding(kind="note", layer="step", cell=one.cell, text=one.sentence) for one in report.why),
        *(_of_counted(report.counted) if report.counted else ()),
        *(_of_coverage(report.coverage) if report.coverage else ()),
    ]
    if report.other_dependencies:
        text = (
            f"Not tested: the sides ask for other packages ({', '.join(report.other_dependencies)}), and both ran with "
            "those of one interpreter. Give each its own: --base-python, --head-python."
        )
        found.append(Finding(kind="undecided", layer="gate", cell=None, text=text))
    if report.environments:
        found.append(Finding(kind="note", layer="gate", cell=None, text=report.environments))
    if report.incomparable:
        found.append(Finding(kind="invalid", layer="gate", cell=None, text=report.incomparable))
    if report.stopped:
        found.append(Finding(kind="missing", layer="gate", cell=None, text=report.stopped))
    if report.untouched:
        found.append(Finding(kind="note", layer="gate", cell=None, text=report.untouched))
    order: list[Kind] = ["regression", "invalid", "missing", "undecided", "quarantined", "change", "note"]
    return tuple(sorted(_with_quarantine(found, report), key=lambda one: order.index(one.kind)))


def exit_code(report: GateReport) -> ExitCode:
    """Return what the process tells its caller."""
    kinds = {one.kind for one in findings(report)}
    if report.exit_zero:
        return ExitCode.PASS
    for kind, code in _CODES.items():
        if kind in kinds and (kind != "undecided" or report.strict):
            return code
    return ExitCode.PASS


def _with_quarantine(found: Iterable[Finding], report: GateReport) -> Iterator[Finding]:
    held = {one.cell: one for one in report.quarantined if not one.expired}
    for one in found:
        quarantine = held.get(one.cell or "")
        if quarantine and one.kind in {"regression", "undecided"}:
            text = f"{one.text} In quarantine until {quarantine.until}: {quarantine.reason}"
            yield Finding(kind="quarantined", layer=one.layer, cell=one.cell, text=text)
        else:
            yield one
    for over in report.quarantined:
        if over.expired:
            text = f"{over.cell}: its quarantine ended on {over.until} ({over.reason}): it counts again."
            yield Finding(kind="note", layer="gate", cell=over.cell, text=text)


def _of_controls(invalid: Iterable[Control]) -> Iterator[Finding]:
    for control in invalid:
        if control.reason is not None:
            text = f"The negative control ({control.name}) could not be made: {control.reason}."
        else:
            low, high = control.interval
            equal = "two copies of the base" if control.name == "same code" else "base and head"
            why = (
                "This machine cannot time anything now."
                if control.name == "same code"
                else "The measuring code changed: its times on both sides are not comparable."
            )
            differs = f"differs by {low:+.1%} to {high:+.1%} (99 %)"
            text = f"The negative control failed twice: torch's SGD on {equal} {differs}. {why}"
        yield Finding(kind="invalid", layer="control", cell=None, text=f"{text} No timed answer counts.")


def _of_clocks(clocks: Clocks) -> Iterator[Finding]:
    kind: Kind
    if clocks.reason is not None:
        kind, text = "undecided", f"Not tested: the clocks of {clocks.device} could not be read ({clocks.reason})."
    elif clocks.locked:
        kind, text = "note", f"The clocks of {clocks.device} held still at {clocks.visits[0].middle / 1e6:,.0f} MHz."
    else:
        low, high = min(one.lowest for one in clocks.visits), max(one.highest for one in clocks.visits)
        text = f"The clocks of {clocks.device} went from {low / 1e6:,.0f} to {high / 1e6:,.0f} MHz"
        text += f" ({', '.join(clocks.limits)})" if clocks.limits else ""
        if clocks.interval is not None:
            text += ", the head's over the base's by {:+.1%} to {:+.1%} (99 %)".format(*clocks.interval)
        kind = "note" if clocks.valid else "invalid"
        text += ". " if clocks.valid else ". No timed answer counts. "
        text += "Lock them: nvidia-smi -lgc."
    yield Finding(kind=kind, layer="clocks", cell=None, text=text)


def _of_timed(timed: Timed, *, counts: bool) -> Iterator[Finding]:
    what = f"{timed.cell}: {LAYER_WORDS[timed.layer]}"
    if not timed.looks:
        missing = timed.answer == "not measured"
        words = "was not measured" if missing else "has nothing to be compared with"
        kind: Kind = "missing" if missing else "undecided"
        yield Finding(kind=kind, layer=timed.layer, cell=timed.cell, text=f"{what} {words} ({timed.reason}).")
        return
    seen = timed.looks[-1]
    slower = f"{seen.slowdown:+.1%} ({seen.lower:+.1%} to {seen.upper:+.1%}) after {seen.num_pairs} pairs"
    visible = f"A slow-down of {seen.smallest_visible:.0%} would be seen here."
    texts: dict[str, tuple[Kind, str]] = {
        "regression": ("regression", f"{what} is slower: {slower}, confirmed with swapped folders."),
        "not confirmed": ("undecided", f"{what} seemed slower, {slower}; fresh pairs with swapped folders say no."),
        "inconclusive": ("undecided", f"{what} is undecided: {slower}. {visible}"),
        "too noisy": ("undecided", f"{what} is too noisy to gate: {slower}. {visible}"),
        "pass": ("note", f"{what} is not slower by {seen.margin:.0%}: {slower}."),
    }
    kind, text = texts[timed.answer]
    if not counts and kind == "regression":
        kind = "undecided"
    yield Finding(kind=kind, layer=timed.layer, cell=timed.cell, text=text)


def _of_counted(counted: Counted) -> Iterator[Finding]:
    for change in counted.changes:
        kind: Kind = "regression" if change.fails else "change"
        yield Finding(kind=kind, layer="counted", cell=change.cell, text=change_sentence(change))
    for peak in counted.process_peaks:
        if peak.fails:
            text = (
                f"{peak.cell}: the peak of the process rose from {format_bytes(peak.base_bytes)} to "
                f"{format_bytes(peak.head_bytes)}."
            )
            yield Finding(kind="regression", layer="process_peak", cell=peak.cell, text=text)
    for why in counted.missing:
        yield Finding(kind="missing", layer="counted", cell=None, text=f"{why}.")
    for why in counted.not_tested:
        yield Finding(kind="undecided", layer="counted", cell=None, text=f"Not tested: {why}.")
    for cell, step in counted.first_loss_changes.items():
        text = f"{cell}: the losses are others from step {step} on."
        yield Finding(kind="change", layer="counted", cell=cell, text=text)


def change_sentence(change: Change) -> str:
    """Return one change of a counter, in words."""
    if change.before is None or change.after is None:
        return f"{change.cell}: {change.counter}: {change.before} -> {change.after} (against {change.against})."
    share = "" if change.share is None else f", {change.share:+.2%}"
    verb = "rose" if change.after > change.before else "fell"
    before, after = (_number(change.counter, one) for one in (change.before, change.after))
    return f"{change.cell}: {change.counter} {verb} from {before} to {after} (against {change.against}{share})."


def _number(counter: str, value: float) -> str:
    if "bytes" in counter:
        return f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"


def _of_coverage(coverage: Coverage) -> Iterator[Finding]:
    if coverage.reason is not None:
        text = f"It is not known which lines of the change a gated cell executes: {coverage.reason}."
        yield Finding(kind="undecided", layer="coverage", cell=None, text=text)
    for one in coverage.uncovered:
        text = f"Not covered: no cell executes {one.file}, {line_words(one.lines)}."
        yield Finding(kind="undecided", layer="coverage", cell=None, text=text)
    for one in coverage.not_timed:
        text = f"Counted and not timed: no gated cell executes {one.file}, {line_words(one.lines)}."
        yield Finding(kind="note", layer="coverage", cell=None, text=text)


def line_words(lines: Iterable[int]) -> str:
    """Return "lines 3, 7 to 9" of sorted line numbers."""
    spans: list[list[int]] = []
    for line in lines:
        if spans and spans[-1][1] == line - 1:
            spans[-1][1] = line
        else:
            spans.append([line, line])
    words = [str(start) if start == end else f"{start} to {end}" for start, end in spans[:_MAX_LINES]]
    more = " and more" if len(spans) > _MAX_LINES else ""
    return ("line " if len(spans) == 1 and spans[0][0] == spans[0][1] else "lines ") + ", ".join(words) + more


def headline(report: GateReport) -> str:
    """Return the answer in one sentence."""
    found = findings(report)
    regressions = sum(one.kind == "regression" for one in found)
    took = format_seconds(report.seconds)
    against = f" against {report.base}" if report.base else ""
    if report.untouched and not found[1:]:
        return f"{report.head}{against}: nothing that is measured was touched ({took})."
    if regressions:
        plural = "regression" if regressions == 1 else "regressions"
        num_cells = len({one.cell for one in found if one.kind == "regression"})
        where = f" in {num_cells} cell{'' if num_cells == 1 else 's'}"
        return f"{report.head}{against}: {regressions} {plural}{where} ({took})."
    words = {
        "invalid": "no answer: the sides or this machine cannot be compared",
        "missing": "something was not measured",
    }
    for kind, said in words.items():
        if any(one.kind == kind for one in found):
            return f"{report.head}{against}: {said} ({took})."
    undecided = sum(one.kind == "undecided" for one in found)
    rest = f"; {undecided} undecided" if undecided else ""
    return f"{report.head}{against}: no regression{rest} ({took})."
