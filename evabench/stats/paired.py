"""Two arms timed in the same sweeps: the ratio of their times.

A pair is the two arms' visits of one sweep; d = log(arm / base) of a pair. What slows both visits down, such as a
warm machine, cancels in d. The ratio is exp of the trimmed mean of the d (see `trimmed`), its bounds are exp of the
bounds. Where the places of the visits are known the bounds allow for what neighbours have in common (see `drift`). The
point estimate never decides.
"""

import math
import warnings
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from evabench.stats.drift import INDEPENDENT, Place, Resemblance, resemblance
from evabench.stats.interval import Interval
from evabench.stats.trimmed import TrimmedMean, trimmed_mean

K = TypeVar("K", bound=Hashable)
Floats = npt.NDArray[np.float64]

MIN_PAIRS_TO_RESAMPLE = 6
_NUM_RESAMPLES = 9999
_BOOTSTRAP_SEED = 20230804


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedRatio:
    """`arm_over_base`: above 1 the arm is slower, or larger, than the base."""

    arm_values: tuple[float, ...]  # in the order of the pairs
    base_values: tuple[float, ...]
    resemblance: Resemblance = INDEPENDENT  # of the pairs: what neighbouring visits have in common

    @property
    def log_ratios(self) -> tuple[float, ...]:
        """Return d of each pair."""
        return tuple(math.log(arm / base) for arm, base in zip(self.arm_values, self.base_values, strict=True))

    @property
    def num_pairs(self) -> int:
        """Return in how many sweeps both arms completed."""
        return len(self.arm_values)

    @property
    def estimate(self) -> float:
        """Return exp of the trimmed mean of the log ratios."""
        return math.exp(self._trimmed.estimate)

    @property
    def interval(self) -> Interval:
        """Return the two-sided 95 % interval: 0 to inf for one pair."""
        logs = self._trimmed.interval(0.95)
        return Interval(low=_exp(logs.low), high=_exp(logs.high), level=logs.level)

    @property
    def low(self) -> float:
        """Return the lower end of the 95 % interval."""
        return self.interval.low

    @property
    def high(self) -> float:
        """Return the upper end of the 95 % interval."""
        return self.interval.high

    def lower_bound(self, alpha: float) -> float:
        """Return the one-sided lower bound; 0 for one pair."""
        return _exp(self._trimmed.lower_bound(alpha))

    def upper_bound(self, alpha: float) -> float:
        """Return the one-sided upper bound; inf for one pair."""
        return _exp(self._trimmed.upper_bound(alpha))

    def descriptive_interval(self) -> Interval | None:
        """Return the 95 % BCa interval of the ratio of medians, resampling pairs; it describes and decides nothing.

        None below `MIN_PAIRS_TO_RESAMPLE` pairs, and where the values are too alike to be resampled.
        Source: Efron, "Better bootstrap confidence intervals", JASA 82 (1987). Seeded: the same pairs, the same ends.
        """
        if self.num_pairs < MIN_PAIRS_TO_RESAMPLE:
            return None
        from scipy.stats import bootstrap  # here: it takes longer to import than a verb without it to run

        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", RuntimeWarning
            )  # degenerate data: scipy warns and answers nan, which is None below
            answer = bootstrap(
                (np.array(self.arm_values), np.array(self.base_values)),
                _ratio_of_medians,
                paired=True,
                vectorized=True,
                n_resamples=_NUM_RESAMPLES,
                method="BCa",
                random_state=np.random.default_rng(_BOOTSTRAP_SEED),
            )
        low, high = float(answer.confidence_interval.low), float(answer.confidence_interval.high)
        return Interval(low=low, high=high, level=0.95) if math.isfinite(low) and math.isfinite(high) else None

    @property
    def _trimmed(self) -> TrimmedMean:
        return self.resemblance.allowed_for(trimmed_mean(self.log_ratios))


def paired_ratio(
    arm: Mapping[K, float], base: Mapping[K, float], places: Mapping[K, Place] | None = None
) -> PairedRatio | None:
    """Return the ratio of two arms over the sweeps that both completed; None where there is no such sweep.

    Both mappings go from a sweep to a positive value. `places`: where the two visits of each sweep stood among all
    visits; None: nobody knows, and the pairs are taken to be independent.
    """
    sweeps = [sweep for sweep in arm if sweep in base]
    if not sweeps:
        return None
    for sweep in sweeps:
        if not (arm[sweep] > 0 and base[sweep] > 0):
            raise ValueError(f"a ratio needs positive values, got {arm[sweep]} over {base[sweep]} in sweep {sweep}")
    return PairedRatio(
        arm_values=tuple(arm[sweep] for sweep in sweeps),
        base_values=tuple(base[sweep] for sweep in sweeps),
        resemblance=resemblance([places[sweep] for sweep in sweeps]) if places else INDEPENDENT,
    )


def _ratio_of_medians(arm: Floats, base: Floats, axis: int = -1) -> Floats:
    ratios: Floats = np.median(arm, axis=axis) / np.median(base, axis=axis)
    return ratios


def _exp(log: float) -> float:
    return math.inf if log > 700 else math.exp(log)
