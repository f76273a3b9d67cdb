"""Pairs with known log ratios."""

import math

from evabench.gate.pairs import Pair, base_comes_first


def pairs_of(log_ratios, *, base_seconds=0.01, first=1):
    return [
        Pair(
            number=number,
            base_first=base_comes_first(number),
            base_seconds=base_seconds,
            head_seconds=base_seconds * math.exp(d),
        )
        for number, d in enumerate(log_ratios, start=first)
    ]
