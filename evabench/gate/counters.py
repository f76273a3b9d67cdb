"""What is counted of a cell, and what a rise of it means.

    portable   the same wherever the code is the same: judged by a committed baseline
    keyed      depends on torch's version and on the CPU's kernels: judged by the base, or a baseline with that key

A counter fails where it rises beyond its tolerance. A change in either direction is shown.
"""

import math
from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from statistics import fmean
from typing import Literal

from evabench.records.convergence import Convergence
from evabench.records.counts import Counts
from evabench.records.measurement import Measured
from evabench.records.memory import Memory
from evabench.settings.strict import Strict

Number = int | float
Values = Mapping[str, Number]

# "any": each rise fails. "bytes": above 1 % and above what the suite ignores. "loss": above 5 %. "shown": none fails.
Rule = Literal["any", "bytes", "loss", "shown"]

NUM_LOSSES, _LAST_LOSSES = 50, 10
_TOLERANCE = 0.01
_LOSS_TOLERANCE = (
    0.05  # another rounding alone (SGD's fused kernel) moved resnet20-narrow, of 8 samples a step, by 1.5 %
)
_LOSS = f"loss, mean of steps {NUM_LOSSES - _LAST_LOSSES + 1} to {NUM_LOSSES}"
_PEAK, _OPERATOR = "peak bytes, ", "operators, "


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What is known of a counter."""

    portable: bool
    rule: Rule


_KINDS = {
    "state bytes": Kind(portable=True, rule="bytes"),
    "curvature state bytes": Kind(portable=True, rule="bytes"),
    "refreshes per cycle": Kind(portable=True, rule="any"),
    "host reads per cycle": Kind(portable=True, rule="any"),
    "FLOPs per cycle": Kind(portable=True, rule="any"),
    "sent bytes per cycle": Kind(portable=True, rule="any"),
    "launches per cycle": Kind(portable=False, rule="any"),
    "allocations per cycle": Kind(portable=False, rule="any"),
    "allocated bytes per cycle": Kind(portable=False, rule="bytes"),
    "moved bytes per cycle": Kind(portable=False, rule="bytes"),
    "peak bytes": Kind(portable=False, rule="bytes"),
    _LOSS: Kind(portable=False, rule="loss"),
}
PORTABLE = frozenset(name for name, kind in _KINDS.items() if kind.portable)


def kind_of(name: str) -> Kind:
    """Return what is known of a counter; those of single operators and of parts of the peak are shown."""
    return _KINDS.get(name, Kind(portable=False, rule="shown"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Strict):
    """A counter that is not what it was. None: it is not there."""

    cell: str
    counter: str
    before: Number | None
    after: Number | None
    against: str  # "the baseline", "base"
    fails: bool

    @property
    def share(self) -> float | None:
        """Return by which share it rose; None where that is no number."""
        if not self.before or self.after is None:
            return None
        return (self.after - self.before) / abs(self.before)


def counters_of(measured: Measured) -> dict[str, Number]:
    """Return the counters that one measurement gives."""
    match measured:
        case Memory():
            parts = {f"{_PEAK}{_words(part.name)}": getattr(measured.peak, part.name) for part in fields(measured.peak)}
            return {
                "state bytes": measured.state_bytes,
                "curvature state bytes": measured.curvature_state_bytes,
                "peak bytes": measured.peak.total,
                **parts,
            }
        case Counts():
            return _of_a_cycle(measured)
        case Convergence():
            last = [loss for loss in measured.training_losses[-_LAST_LOSSES:] if loss is not None]
            return {_LOSS: fmean(last)} if len(last) == _LAST_LOSSES else {}
        case _:
            return {}


def _of_a_cycle(counts: Counts) -> dict[str, Number]:
    cycle = counts.cycle
    operators = sum((Tally(step.operators) for step in cycle), Tally[str]())
    return {
        "refreshes per cycle": sum("refresh" in step.parts for step in cycle),
        "host reads per cycle": sum(step.host_reads for step in cycle),
        "FLOPs per cycle": sum(step.flops for step in cycle),
        **({} if counts.sent_bytes is None else {"sent bytes per cycle": counts.sent_bytes}),
        "launches per cycle": sum(step.launches for step in cycle),
        "allocations per cycle": sum(step.allocations for step in cycle),
        "allocated bytes per cycle": sum(step.allocated_bytes for step in cycle),
        "moved bytes per cycle": sum(step.moved_bytes for step in cycle),
        **{f"{_OPERATOR}{name}": count for name, count in sorted(operators.items())},
    }


def rises(name: str, before: Number, after: Number, ignored_bytes: int) -> bool:
    """Return whether a counter has risen beyond its tolerance."""
    match kind_of(name).rule:
        case "any":
            return after > before
        case "bytes":
            return after - before > max(_TOLERANCE * before, ignored_bytes)
        case "loss":
            return not math.isfinite(after) or after - before > _LOSS_TOLERANCE * abs(before)
        case "shown":
            return False


def changes(
    cell: str, values: Values, references: Mapping[str, Values], *, names: Iterable[str], ignored_bytes: int
) -> list[Change]:
    """Return the counters of a cell that differ from every reference that has them, in the order of `names`.

    A rise fails only where it is one against each of them: what the base had already, or what a committed baseline has
    accepted, is no fault of the head. `references` are values by what they are called; the first one is shown.
    """
    found = []
    for name in names:
        counted = {against: _counted(one, name) for against, one in references.items()}
        there = {against: before for against, before in counted.items() if before is not None}
        after = _counted(values, name)
        if not there or any(after == before for before in there.values()):
            continue
        against, before = next(iter(there.items()))
        fails = after is not None and all(rises(name, one, after, ignored_bytes) for one in there.values())
        found.append(Change(cell=cell, counter=name, before=before, after=after, against=against, fails=fails))
    return found


def _counted(values: Values, name: str) -> Number | None:
    """Return a counter, None where it is not there. An operator that is not there was called no time."""
    if name.startswith(_OPERATOR) and any(one.startswith(_OPERATOR) for one in values):
        return values.get(name, 0)
    return values.get(name)


def _words(name: str) -> str:
    return name.replace("_", " ")
