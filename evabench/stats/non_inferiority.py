"""Whether an arm is at most a stated margin worse than the base, from runs paired by seed.

The difference is positive where the arm is better, so "not worse by m" asks that its one-sided lower bound exceed -m.
Accuracy: d = arm - base, in points. Loss: d = log(base / arm), about the relative reduction, compared with
log(1 + m). A loss that can be 0 or below has no ratio: d = base - arm, compared with an absolute margin. The bounds
are those of the trimmed mean (see `trimmed`). Not finding a difference is not this answer.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from evabench.stats.interval import Interval
from evabench.stats.trimmed import TrimmedMean, trimmed_mean

Metric = Literal["accuracy", "loss", "signed_loss"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedDifference:
    """Positive: the arm is better."""

    differences: tuple[float, ...]  # one per seed

    @property
    def num_seeds(self) -> int:
        """Return the seeds that both arms completed."""
        return len(self.differences)

    @property
    def estimate(self) -> float:
        """Return the trimmed mean."""
        return self._trimmed.estimate

    @property
    def interval(self) -> Interval:
        """Return the two-sided 95 % interval; infinite for one seed."""
        return self._trimmed.interval(0.95)

    def lower_bound(self, alpha: float) -> float:
        """Return the one-sided lower bound; -inf for one seed."""
        return self._trimmed.lower_bound(alpha)

    def upper_bound(self, alpha: float) -> float:
        """Return the one-sided upper bound; inf for one seed."""
        return self._trimmed.upper_bound(alpha)

    def is_not_worse_by(self, margin: float, alpha: float = 0.05) -> bool:
        """Return whether the lower bound exceeds -margin; False says nothing about being worse."""
        if margin <= 0:
            raise ValueError(f"margin must be above 0, got {margin}")
        return self.lower_bound(alpha) > -margin

    @property
    def _trimmed(self) -> TrimmedMean:
        return trimmed_mean(self.differences)


def paired_difference(
    arm: Mapping[int, float], base: Mapping[int, float], metric: Metric = "loss"
) -> PairedDifference | None:
    """Return the differences over the seeds that both arms completed; None where there is no such seed."""
    seeds = [seed for seed in arm if seed in base]
    if not seeds:
        return None
    if metric == "accuracy":
        return PairedDifference(differences=tuple(arm[seed] - base[seed] for seed in seeds))
    if metric == "signed_loss":
        return PairedDifference(differences=tuple(base[seed] - arm[seed] for seed in seeds))
    if any(min(arm[seed], base[seed]) <= 0 for seed in seeds):
        raise ValueError("a loss of 0 or below has no ratio: compare it as a signed loss, with an absolute margin")
    return PairedDifference(differences=tuple(math.log(base[seed] / arm[seed]) for seed in seeds))


def relative_margin(share: float) -> float:
    """Return the margin of a loss for "at most this share higher": log(1 + share)."""
    return math.log1p(share)
