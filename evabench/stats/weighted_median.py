"""The value in the middle of values that weigh differently."""

from collections.abc import Iterable


def weighted_median(pairs: Iterable[tuple[float, float]]) -> float | None:
    """Return the smallest value at which the weights of all up to it are half of the whole or more.

    Pairs are (value, weight). None where nothing has a weight.
    """
    ordered = sorted((value, weight) for value, weight in pairs if weight > 0)
    half = sum(weight for _, weight in ordered) / 2
    so_far = 0.0
    for value, weight in ordered:
        so_far += weight
        if so_far >= half:
            return value
    return ordered[-1][0] if ordered else None  # the sum of the weights was rounded up
