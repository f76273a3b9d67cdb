"""How the work of an optimizer grows with the width: flops and bytes of its own operators, counted.

A family is equal square layers at several widths with one batch, as for the times of `costs`. An optimizer's own
operators are those of its hooks and its step, over one refresh cycle: all but forward, backward and `zero_grad`.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from evabench.records.counts import Counts
from evabench.records.phases import PhaseName
from evabench.records.run import Run
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.synthetic import SyntheticSettings
from evabench.stats.widths import ExactDegree, exact_degree

NOT_ITS_OWN: tuple[PhaseName, ...] = ("forward", "backward", "zero_grad")


@dataclass(slots=True, kw_only=True)
class WorkingArm:
    """One arm's counts in one family, by width."""

    arm: str
    optimizer: OptimizerSettings
    cycle_steps: int = 1  # from one refresh to the next
    flops: dict[int, int] = field(default_factory=dict)  # of a whole cycle, so that they are exact
    moved_bytes: dict[int, int] = field(default_factory=dict)
    without_formula: set[str] = field(default_factory=set)  # linear algebra that was taken as 1 flop per value
    uneven: set[int] = field(default_factory=set)  # widths at which two runs did not count the same

    @property
    def flops_degree(self) -> ExactDegree | None:
        """Return the degree of the flops; None: too few widths, no polynomial, or operators without a formula."""
        return None if self.without_formula or self.uneven else exact_degree(self.flops)

    @property
    def bytes_degree(self) -> ExactDegree | None:
        """Return the degree of the bytes read and written; None: too few widths, or no polynomial."""
        return None if self.uneven else exact_degree(self.moved_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkFamily:
    """One net at several widths, counted."""

    name: str  # "1 linear layer, batch 8"
    arms: tuple[WorkingArm, ...]


def work_families(runs: Iterable[Run]) -> tuple[WorkFamily, ...]:
    """Return the counted families of two widths or more, sorted by name, with their arms."""
    families: defaultdict[tuple[SyntheticSettings, int], dict[tuple[str, str], WorkingArm]] = defaultdict(dict)
    for run in runs:
        net, cell = run.cell.workload, run.cell
        if not (isinstance(run.measured, Counts) and isinstance(net, SyntheticSettings)):
            continue
        arms = families[replace(net, width=1), cell.ranks]
        arm = arms.setdefault((cell.arm, repr(cell.optimizer)), _working(run, run.measured))
        _add(arm, net.width, run.measured)
    found = [
        WorkFamily(name=f"{net.title}, batch {net.batch}", arms=tuple(arm for _, arm in sorted(arms.items())))
        for (net, _), arms in families.items()
        if any(len(arm.flops) > 1 for arm in arms.values())
    ]
    return tuple(sorted(found, key=lambda family: family.name))


def _working(run: Run, counts: Counts) -> WorkingArm:
    return WorkingArm(arm=run.cell.arm, optimizer=run.cell.optimizer, cycle_steps=counts.cycle_steps)


def _add(arm: WorkingArm, width: int, counts: Counts) -> None:
    own = [step.only(set(step.parts) - set(NOT_ITS_OWN)) for step in counts.cycle]
    flops, moved = sum(step.flops for step in own), sum(step.moved_bytes for step in own)
    if (arm.flops.setdefault(width, flops), arm.moved_bytes.setdefault(width, moved)) != (flops, moved):
        arm.uneven.add(width)
    arm.without_formula.update(counts.without_formula)
