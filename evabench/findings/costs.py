"""What an optimizer's own work costs against the width: its step less SGD's step, in the same sweeps.

A family is equal square layers at several widths with the same batch, so parameters grow exactly with the square of the
width; its data is noise, of which the cost of a step does not depend. Other nets are left out: with an input of a fixed
size their parameters are no power of the width.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from evabench.findings.arm import MeasuredArm
from evabench.settings.first_order import SgdSettings
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.synthetic import SyntheticSettings
from evabench.stats.drift import places_of, resemblance
from evabench.stats.power_law import PowerLaw, fit_power_law
from evabench.stats.trimmed import TrimmedMean, trimmed_mean


@dataclass(slots=True, kw_only=True)
class ScaledArm:
    """One arm at several widths."""

    arm: str
    base: str  # the arm of SGD whose step is subtracted
    optimizer: OptimizerSettings
    # By width: seconds of a step beyond SGD's. The errors allow for what neighbouring visits have in common.
    costs: dict[int, TrimmedMean] = field(default_factory=dict)

    @property
    def num_sweeps(self) -> int:
        """Return the fewest sweeps that a cost rests on."""
        return min(cost.num_values for cost in self.costs.values())

    @property
    def law(self) -> PowerLaw | None:
        """Return the exponent above what is measured at d = 8; None where that is missing, or nothing rises."""
        return fit_power_law(self.costs)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostFamily:
    """One net at several widths, timed."""

    name: str  # "4 linear layers, batch 64"
    arms: tuple[ScaledArm, ...]


def cost_families(arms: Iterable[MeasuredArm]) -> tuple[CostFamily, ...]:
    """Return the timed families of two widths or more, with every arm that was timed beside SGD."""
    by_net: defaultdict[tuple[SyntheticSettings, int], dict[int, dict[str, MeasuredArm]]] = defaultdict(dict)
    for arm in arms:
        net = arm.workload
        if isinstance(net, SyntheticSettings) and arm.step_seconds:
            by_net[replace(net, width=1), arm.ranks].setdefault(net.width, {})[_identity(arm)] = arm
    return tuple(
        CostFamily(name=f"{net.title}, batch {net.batch}", arms=_scaled(by_width))
        for (net, _), by_width in by_net.items()
        if len(by_width) > 1
    )


def _scaled(by_width: Mapping[int, Mapping[str, MeasuredArm]]) -> tuple[ScaledArm, ...]:
    found: dict[str, ScaledArm] = {}
    for width, arms in sorted(by_width.items()):
        base = next((arm for arm in arms.values() if isinstance(arm.optimizer, SgdSettings)), None)
        if base is None:
            continue
        for identity, arm in arms.items():
            cost = None if arm is base else _cost(arm, base)
            if cost is None:
                continue
            one = found.setdefault(identity, ScaledArm(arm=arm.name, base=base.name, optimizer=arm.optimizer))
            one.costs[width] = cost
    return tuple(arm for _, arm in sorted(found.items()))


def _cost(arm: MeasuredArm, base: MeasuredArm) -> TrimmedMean | None:
    """Return the step of an arm less that of the base; None where no sweep has both."""
    places = places_of(arm.visited, base.visited)
    if not places:
        return None
    share = (base.amortised_seconds or 0.0) / (arm.amortised_seconds or math.inf)
    differences = [arm.step_seconds[sweep] - base.step_seconds[sweep] for sweep in places]
    return resemblance(tuple(places.values()), share).allowed_for(trimmed_mean(differences))


def _identity(arm: MeasuredArm) -> str:
    return f"{arm.name} {arm.optimizer!r}"  # the step times of an arm are the same beside each of its budgets
