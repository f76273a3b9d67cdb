"""Where a series has shifted for good, and where it has only wavered.

The values are logarithms of times, in the order in which they were measured:

    sd           1.4826 * MAD of the differences of neighbours / sqrt 2: one shift is in one difference alone
    candidates   segments of least squares, at least 4 values long (ruptures: PELT, penalty 3 sd^2 log n)
    rest         what is left over within the segments: its sd, where that is larger than the sd above, and r, the
                 correlation of neighbours; the sd of a mean grows by sqrt((1 + r) / (1 - r)) where r > 0, since
                 values that hang together tell less than so many others
    shift        the difference of the trimmed means (20 %) of two neighbouring segments

While the weakest candidate is not beyond t (two-sided 0.1 %, divided by the number of places, n - 1) times its sd, or
is a shift below 3 %, it is dropped and its two segments are one. What is left are the change points.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit
from scipy.stats import trim_mean

from evabench.stats.noise import NORMAL_SD_OVER_MAD, TRIMMED_SD_OVER_MEAN_SD

MIN_SIDE = 4  # values on either side: fewer are an outlier or two
MIN_SHIFT = 0.03  # the least margin of a gate
_ALPHA = 0.001
_LEAST_SD = 1e-3  # below it clocks are read, not steps
_PENALTY, _TRIMMED, _MOST_MEMORY = 3.0, 0.2, 0.9

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoint:
    """A shift that stayed."""

    place: int  # of the first value behind it
    shift: float  # a share of a time: 0.1 is 10 % slower from there on


def change_points(seconds: Sequence[float]) -> tuple[ChangePoint, ...]:
    """Return where times have shifted by at least 3 % and beyond their noise; none where there are below 8 of them."""
    if len(seconds) < 2 * MIN_SIDE:
        return ()
    logs = np.log(np.array(seconds, dtype=np.float64))
    differences = np.diff(logs)
    spread = NORMAL_SD_OVER_MAD * float(np.median(np.abs(differences - np.median(differences)))) / math.sqrt(2)
    sd = max(spread, _LEAST_SD)
    places = _candidates(logs, sd)
    while places:
        weakest, excess = _weakest(logs, places, sd)
        if excess >= 1:
            break
        places = [place for place in places if place != weakest]
    return tuple(ChangePoint(place=place, shift=math.expm1(_shift(logs, places, place))) for place in places)


def _candidates(logs: Floats, sd: float) -> list[int]:
    from ruptures import Pelt  # here: it is of the extra `gate`

    penalty = _PENALTY * sd**2 * math.log(len(logs))
    found: list[int] = Pelt(model="l2", min_size=MIN_SIDE, jump=1).fit(logs).predict(pen=penalty)
    return found[:-1]  # the last one is the end


def _weakest(logs: Floats, places: Sequence[int], sd: float) -> tuple[int, float]:
    """Return the candidate that says least, and its shift as a multiple of what it has to exceed."""
    noise = _noise(logs, places, sd)
    quantile = float(stdtrit(len(logs) - 1 - len(places), 1 - _ALPHA / 2 / (len(logs) - 1)))
    excesses = {}
    for place in places:
        before, after = _sides(logs, places, place)
        of_means = math.sqrt(1 / len(before) + 1 / len(after))
        needed = quantile * TRIMMED_SD_OVER_MEAN_SD * noise * of_means
        excesses[place] = abs(_shift(logs, places, place)) / max(needed, math.log1p(MIN_SHIFT))
    weakest = min(excesses, key=excesses.__getitem__)
    return weakest, excesses[weakest]


def _noise(logs: Floats, places: Sequence[int], sd: float) -> float:
    """Return the sd of a value, as large as one in a mean of values that do not hang together would have to be."""
    ends = [0, *places, len(logs)]
    parts = [logs[start:end] - np.mean(logs[start:end]) for start, end in pairwise(ends)]
    rest = np.concatenate(parts)
    power = float(np.sum(rest**2))
    sd = max(sd, math.sqrt(power / (len(logs) - len(parts))))
    together = float(np.sum(rest[1:] * rest[:-1])) / power if power > 0 else 0.0
    together = min(max(together, 0.0), _MOST_MEMORY)
    return sd * math.sqrt((1 + together) / (1 - together))


def _shift(logs: Floats, places: Sequence[int], place: int) -> float:
    before, after = _sides(logs, places, place)
    return float(trim_mean(after, _TRIMMED) - trim_mean(before, _TRIMMED))


def _sides(logs: Floats, places: Sequence[int], place: int) -> tuple[Floats, Floats]:
    """Return the segments on both sides of a candidate."""
    ends = [0, *places, len(logs)]
    number = ends.index(place)
    return logs[ends[number - 1] : place], logs[place : ends[number + 1]]
