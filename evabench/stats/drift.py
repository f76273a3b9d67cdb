"""How much more a mean over sweeps may err than its spread says, because neighbouring visits resemble each other.

A machine that is slow now is still slow at the next visit. With the log times of visits an autoregression, so that two
visits m places apart correlate like r^m, let an arm and a base be visited in sweep i at the places a_i and b_i, and
d_i = log time of the arm - s log time of the base. Up to a factor

    cov(d_i, d_j) = r^|a_i - a_j| + s^2 r^|b_i - b_j| - s r^|a_i - b_j| - s r^|b_i - a_j|

For a ratio of times s is 1. For their difference it is base / arm, the least that a slow-down of both leaves in it: a
step of 3 ms less one of 1 ms grows by 2 ms where the machine takes twice as long. A standard error that is taken from
the spread of the d's is right where these do not correlate. Else it is too small by

    w^2 = n var(mean of the d's) / E(sample variance of the d's)

and the sample variance has fewer degrees of freedom than n - 1: with S the covariances of the d's less their mean,

    f = tr(S)^2 / tr(S^2) / (n - 1)

of them (Satterthwaite, Biometrics Bulletin 2, 1946). Both follow from the places and s alone. Ratios of two arms alone
in their sweeps have w = 1.05. With many arms between them the last visit of a sweep and the first of the next are
neighbours, since sweeps alternate in direction, and w grows to 1.4.
"""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from evabench.stats.trimmed import TrimmedMean

K = TypeVar("K", bound=Hashable)
Visited = tuple[int, int]  # the number of the sweep, and the position in it
Place = tuple[int, int]  # of the two visits of a pair among all visits

# From visit to visit on a shared machine of two cores. On a quiet one it is less, and the bounds are a little too wide.
LAG = 0.80


def places_of(arm: Mapping[K, Visited], base: Mapping[K, Visited]) -> dict[K, Place]:
    """Return where the two visits of each sweep stood, of the sweeps that both arms have.

    How many visits a sweep has follows from its two directions: what is at p in one is at size - 1 - p in the other.
    """
    size = max(_size(arm.values()), _size(base.values()))
    return {sweep: (_place(arm[sweep], size), _place(base[sweep], size)) for sweep in arm if sweep in base}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resemblance:
    """What the pairs of two arms have in common."""

    widening: float = 1.0  # w, of the standard error
    freedom: float = 1.0  # f, the share of the degrees of freedom that is left

    def allowed_for(self, mean: TrimmedMean) -> TrimmedMean:
        """Return a mean over the pairs whose bounds allow for what these have in common."""
        freedom = mean.degrees_of_freedom * self.freedom
        return replace(
            mean,
            standard_error=mean.standard_error * self.widening,
            degrees_of_freedom=max(1.0, freedom) if mean.degrees_of_freedom else 0,
        )


INDEPENDENT = Resemblance()


def resemblance(places: Sequence[Place], base_share: float = 1.0) -> Resemblance:
    """Return w, at least 1, and f, at most 1; of pairs from which nothing follows those of independent ones.

    `base_share`: s; 1 for a ratio.
    """
    num = len(places)
    if num < 2:
        return INDEPENDENT
    arm, base = (np.array(one, dtype=np.float64) for one in zip(*places, strict=True))
    crossed = _alike(arm, base) + _alike(base, arm)
    covariance = _alike(arm, arm) + base_share**2 * _alike(base, base) - base_share * crossed
    centred = covariance - covariance.mean(0) - covariance.mean(1, keepdims=True) + covariance.mean()
    own = float(centred.trace())
    if own <= 0:
        return INDEPENDENT
    of_mean, spread = float(covariance.mean()), own / (num - 1)
    freedom = own**2 / float(np.square(centred).sum()) / (num - 1)
    return Resemblance(widening=math.sqrt(max(1.0, num * of_mean / spread)), freedom=min(1.0, freedom))


def _alike(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = LAG ** np.abs(one[:, None] - other[None, :])
    return found


def _size(visits: Iterable[Visited]) -> int:
    ends = {0: -1, 1: -1}
    for sweep, position in visits:
        ends[sweep % 2] = max(ends[sweep % 2], position)
    return 1 + (sum(ends.values()) if min(ends.values()) >= 0 else max(ends.values()))


def _place(visit: Visited, size: int) -> int:
    sweep, position = visit
    return sweep * size + position
