"""The ends of a few values."""

from evabench.stats.spreads import Spread


def test_a_spread_leaves_out_what_is_not_there():
    spread = Spread.of([3.0, None, 1.0, 2.0])
    assert (spread.middle, spread.low, spread.high, spread.num_values) == (2.0, 1.0, 3.0, 3)
    assert Spread.of([None]) is None
