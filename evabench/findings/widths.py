"""How the curvature state grows with the width of a net, from memory runs at several widths.

A family is one net at several widths: the same model, data, batch and ranks, hidden widths in fixed proportions, the
input fixed by the data. Its variable is the first hidden width. Names do not make a family; a suite may call each
width a workload of its own.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from evabench.records.memory import Memory
from evabench.records.run import Run
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.workloads import WorkloadSettings
from evabench.stats.widths import WidthPolynomial, width_polynomial


@dataclass(slots=True, kw_only=True)
class CountedArm:
    """One arm's memory runs in one family."""

    arm: str
    optimizer: OptimizerSettings
    memories: dict[int, Memory] = field(default_factory=dict)  # by first hidden width
    uneven: set[int] = field(default_factory=set)  # widths at which two runs did not count the same

    @property
    def curvature_bytes(self) -> dict[int, int]:
        """Return width -> curvature state, without the widths at which two runs disagree."""
        return {
            width: memory.curvature_state_bytes
            for width, memory in sorted(self.memories.items())
            if width not in self.uneven
        }

    @property
    def polynomial(self) -> WidthPolynomial | None:
        """Return the growth of the curvature state; None below four widths."""
        return width_polynomial(self.curvature_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class WidthFamily:
    """One net at several widths."""

    name: str  # "autoencoder on fashion_mnist_subset, batch 250"
    workload: WorkloadSettings  # at one of its widths
    arms: tuple[CountedArm, ...]

    @property
    def num_widths(self) -> int:
        """Return the most widths at which any arm was counted."""
        return max(len(arm.curvature_bytes) for arm in self.arms)


def width_families(runs: Iterable[Run]) -> tuple[WidthFamily, ...]:
    """Return the families of the memory runs that completed, sorted by name, with their arms."""
    families: defaultdict[tuple[object, ...], dict[tuple[str, str], CountedArm]] = defaultdict(dict)
    nets: dict[tuple[object, ...], WorkloadSettings] = {}
    for run in runs:
        if not (run.outcome.completed and isinstance(run.measured, Memory)):
            continue
        cell, net = run.cell, run.cell.workload
        hidden = net.hidden_widths
        if not hidden or net.stand_in:  # stand-in data decides nothing
            continue
        proportions = tuple(Fraction(width, hidden[0]) for width in hidden)
        family = (net.family, net.data, net.batch, proportions, cell.ranks)
        nets[family] = net
        arms = families[family]
        arm = arms.setdefault((cell.arm, repr(cell.optimizer)), CountedArm(arm=cell.arm, optimizer=cell.optimizer))
        known = arm.memories.setdefault(hidden[0], run.measured)
        if known.curvature_state_bytes != run.measured.curvature_state_bytes:
            arm.uneven.add(hidden[0])
    counted = [
        WidthFamily(
            name=_family_name(nets[family]), workload=nets[family], arms=tuple(arm for _, arm in sorted(arms.items()))
        )
        for family, arms in families.items()
    ]
    return tuple(sorted(counted, key=lambda family: family.name))


def _family_name(net: WorkloadSettings) -> str:
    return f"{net.family} on {net.data}, batch {net.batch}"
