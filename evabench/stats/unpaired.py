"""Two groups of values that were not measured side by side: the ratio of their centres.

The logarithms are compared by Yuen's trimmed t test for unequal variances: 20 % are cut from each end of each group.
What slowed one group down and not the other is in the ratio, which no pairing takes out. It describes; it decides
nothing. Source: Yuen, "The two-sample trimmed t for unequal population variances", Biometrika 61 (1974).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evabench.stats.interval import Interval
from evabench.stats.trimmed import trimmed_geometric_mean

_TRIM = 0.2
_MIN_VALUES = 3  # of a group, for an interval


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpairedRatio:
    """head / base of the trimmed geometric means; no interval where a group is small or all alike."""

    estimate: float
    interval: Interval | None


def unpaired_ratio(head: Sequence[float], base: Sequence[float]) -> UnpairedRatio:
    """Return the ratio of two groups of positive values. Raises `ValueError` where one is empty or not positive."""
    if not head or not base or min(*head, *base) <= 0:
        raise ValueError(f"a ratio needs positive values on both sides, got {tuple(head)} over {tuple(base)}")
    estimate = trimmed_geometric_mean(head) / trimmed_geometric_mean(base)
    if min(len(head), len(base)) < _MIN_VALUES or (len(set(head)) == 1 and len(set(base)) == 1):
        return UnpairedRatio(estimate=estimate, interval=None)
    from scipy.stats import ttest_ind  # here: it takes longer to import than a verb without it to run

    logs = [[math.log(value) for value in group] for group in (head, base)]
    ends = ttest_ind(*logs, equal_var=False, trim=_TRIM).confidence_interval(0.95)
    low, high = math.exp(float(ends.low)), math.exp(float(ends.high))
    return UnpairedRatio(estimate=estimate, interval=Interval(low=low, high=high, level=0.95))
