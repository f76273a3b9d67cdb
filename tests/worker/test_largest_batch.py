"""The largest batch that fits, by peaks that are linear in the batch, with a bend, or do not depend on it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evabench.worker.largest_batch import find_largest_batch

MIB = 1 << 20


def bent(size):
    """Return the peak of a step whose optimizer has the most until the activations of a large batch have."""
    return max(100 * MIB, 4 * MIB + 5000 * size)


@given(st.integers(1, 5000), st.integers(5, 2000))
def test_it_fits_and_one_that_is_a_little_larger_does_not(batch, bound_in_mib):
    bound = bound_in_mib * MIB
    found = find_largest_batch(bent, batch, bound)
    if bound < 100 * MIB:
        assert found == 0
    else:
        assert bent(found) <= bound < bent(int(1.011 * found) + 1)


def test_where_a_sample_has_no_bytes_any_batch_fits():
    assert find_largest_batch(lambda size: MIB, 32, 2 * MIB) is None


def test_few_steps_are_looked_at():
    seen = []

    def peak_of(size):
        seen.append(size)
        return bent(size)

    find_largest_batch(peak_of, 128, 80_000 * MIB)
    assert len(seen) <= 8  # a tenth of a second each on a small net, some seconds on a large one


@pytest.mark.parametrize("batch", [1, 1000])
def test_a_batch_of_one_is_found_where_no_more_fit(batch):
    assert find_largest_batch(lambda size: size * MIB, batch, MIB + 1) == 1
