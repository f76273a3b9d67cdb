"""The simulated gates are the gates of the product."""

import numpy as np
import pytest

from evabench.gate.rules import LOOKS, STEP, Test, confirms, look_at
from tests.gate.pairs import pairs_of
from tools.gate_simulation import CONFIRMED, NOISES, NOT_CONFIRMED, PASSED, UNDECIDED, gates, simulate


def product_gate(first, confirming, num_tests):
    pairs = pairs_of(first, base_seconds=1.0)
    for look in LOOKS:
        seen = look_at(pairs, look, Test(margins=STEP, num_tests=num_tests))
        if seen.answer == "regression":
            again = pairs_of(confirming[: look.num_pairs], base_seconds=1.0)
            return (CONFIRMED if confirms(again, seen) else NOT_CONFIRMED), look.num_pairs
        if seen.answer == "pass":
            return PASSED, look.num_pairs
    return UNDECIDED, LOOKS[-1].num_pairs


@pytest.mark.parametrize("noise", NOISES)
def test_the_simulation_ends_every_gate_as_the_product_does(noise):
    random = np.random.default_rng(1)
    slowdowns = np.log1p(np.repeat([0.0, 0.04, 0.08, 0.2], 15))[:, None]
    first, confirming = (NOISES[noise](random, len(slowdowns)) + slowdowns for _ in range(2))
    ends = gates(first, confirming, num_tests=2)
    expected = [product_gate(one, other, 2) for one, other in zip(first, confirming, strict=True)]
    assert list(zip(ends.answers.tolist(), ends.num_pairs.tolist(), strict=True)) == expected
    assert len(set(ends.answers)) > 2


@pytest.mark.parametrize("noise", NOISES)
def test_equal_sides_hardly_ever_fail_and_a_slow_head_hardly_ever_passes(noise):
    equal, slow = simulate(NOISES[noise], 0.0, 2000, 1), simulate(NOISES[noise], 0.2, 2000, 1)
    assert equal.share(CONFIRMED) == 0
    assert equal.share(PASSED) > 0.9
    assert slow.share(CONFIRMED) > 0.9
    assert slow.share(PASSED) == 0
