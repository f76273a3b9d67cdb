"""How the numbers of a figure follow from raw lines; of a table also column by column, with the kinds of runs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from evabench.reporting.document import Origin

STEP = (
    "A visit's step is the time of its blocks over the number of their steps; an arm's is the trimmed geometric mean "
    "of its visits."
)
RATIO = (
    f"{STEP} A ratio is exp of the trimmed mean of the log ratios of the pairs, two visits of one sweep; its interval "
    "is a t interval."
)
CYCLE = "Each position in the refresh cycle has its median within a visit; the figure is the median over visits."
PHASES = "The marks of each step, by position in the cycle, a refresh at its share; one run."
BYTES = "Counted in one run; nothing is averaged."
LOSSES = "The last evaluation of each run; the figure is the median over seeds."
HIT = "A target is hit at the first of two evaluations in a row that are at it or better"
TARGET = f"{LOSSES} {HIT}; time is steps x the step time. {STEP}"
PROBES = "Medians over probes, layers and seeds, as the note says."
COUNTS = "Counted in one run, by position in the cycle; a refresh at its share."

_RATIO_TO, _INTERVAL = "step / ", " [95 %]"  # around the name of an arm, in a heading


@dataclass(frozen=True, slots=True)
class _Column:
    kinds: tuple[str, ...]
    how: str


_COLUMNS: Mapping[str, _Column] = {
    "step": _Column(("step_time",), STEP),
    "peak": _Column(("memory",), BYTES),
    "curvature state": _Column(("memory",), BYTES),
    "val. loss": _Column(("convergence",), LOSSES),
    "its range": _Column(("convergence",), "The last evaluation of each run: the lowest and the highest of the seeds."),
    "test loss": _Column(("convergence",), "Evaluated once, at the end of each run; the median over seeds."),
    "test accuracy, %": _Column(("convergence",), "Evaluated once, at the end of each run; the median over seeds."),
    "test bits/byte": _Column(("convergence",), "Evaluated once, at the end of each run; the median over seeds."),
    "steps to target": _Column(("convergence",), f"{HIT}; the median over seeds, a miss being infinite."),
    "time to target": _Column(("convergence", "step_time"), f"{HIT}; time is steps x the step time. {STEP}"),
}


def of_column(origin: Origin, heading: str) -> Origin:
    """Return the origin of one column of a table: its own kinds of runs, and of a ratio the runs of the base too."""
    base = _base(heading)
    if base is not None:
        arms = tuple(dict.fromkeys((*origin.arms, base)))
        return replace(origin, kinds=("step_time",), how=RATIO, arms=arms)
    known = _COLUMNS.get(heading)
    if known is None or not set(known.kinds) <= set(origin.kinds):
        return origin
    return replace(origin, kinds=known.kinds, how=known.how)


def _base(heading: str) -> str | None:
    if heading.startswith(_RATIO_TO) and heading.endswith(_INTERVAL):
        return heading[len(_RATIO_TO) : -len(_INTERVAL)]
    return None
