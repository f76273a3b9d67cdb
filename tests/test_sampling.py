"""The sampler says how often it really read, and what that cost."""

from threading import Event, get_ident

import pytest

from evabench.records.sampling import Sampling
from evabench.sampling import Sampler


def test_the_period_that_was_kept_and_its_cost_are_exact():
    times = iter([0.0, 0.001, 0.010, 0.013, 0.050, 0.052])  # begin and end of three readings
    sampler = Sampler(lambda: "value", 0.01, now=lambda: next(times))
    for _ in range(3):
        sampler.take()
    assert sampler.samples == [(0.0, "value"), (0.010, "value"), (0.050, "value")]
    assert sampler.sampling() == Sampling(
        period_seconds=0.01,
        num_samples=3,
        mean_gap_seconds=0.025,
        longest_gap_seconds=pytest.approx(0.040),
        busy_seconds=pytest.approx(0.006),
    )


def test_one_sample_has_no_gap_rather_than_one_of_0_seconds():
    sampler = Sampler(lambda: 1, 0.01)
    sampler.take()
    assert sampler.sampling().mean_gap_seconds is None
    assert sampler.sampling().longest_gap_seconds is None


def test_samples_are_taken_at_both_ends_and_between_them_on_another_thread():
    threads, third = [], Event()

    def read():
        threads.append(get_ident())
        if len(threads) == 3:
            third.set()

    with Sampler(read, 0.001) as sampler:
        assert third.wait(60)
    assert threads[0] == threads[-1] == get_ident()
    assert set(threads[1:-1]) != {get_ident()}
    assert sampler.sampling().num_samples == len(threads) >= 4


def test_what_happens_between_two_samples_of_a_long_period_is_seen_at_the_end():
    values = iter("ab")
    with Sampler(lambda: next(values), 3600) as sampler:
        pass
    assert [value for _, value in sampler.samples] == ["a", "b"]


def test_what_a_reading_raises_is_raised_again_at_the_end():
    failed = Event()

    def read():
        if failed.is_set() or sampler.samples:
            failed.set()
            raise OSError("gone")

    sampler = Sampler(read, 0.001)
    with pytest.raises(OSError, match="gone"), sampler:
        assert failed.wait(60)
