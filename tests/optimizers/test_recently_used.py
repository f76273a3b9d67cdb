"""A cache that shapes of any number cannot fill."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from evabench.measurement.memory.memory import StorageTracker
from evabench.optimizers.capture.patches import PatchSums, patch_rows
from evabench.optimizers.capture.recently_used import RecentlyUsed
from evabench.optimizers.capture.windows import PatchMeans

AUDIO = 160_000  # ten seconds


def test_what_was_used_longest_ago_goes_first():
    made = []
    cache = RecentlyUsed[list](len, most_numbers=5)
    for key in "abacb":
        cache.find(key, lambda key=key: made.append(key) or [0, 0])
    assert made == ["a", "b", "c", "b"]
    assert len(cache) == 2


def test_a_value_that_is_too_large_stays_until_the_next():
    cache = RecentlyUsed[list](len, most_numbers=1)
    assert cache.find("a", lambda: [1, 2, 3]) is cache.find("a", list)


@pytest.mark.parametrize("mode", ["zeros", "circular", "reflect", "replicate"])
def test_ten_seconds_of_audio_take_memory_in_proportion(mode):
    convolution = nn.Conv1d(1, 2, 10, stride=5, padding=3, dilation=2, padding_mode=mode, bias=False)
    x = torch.rand(2, 1, AUDIO)
    sums, means = PatchSums(), PatchMeans()
    tracker = StorageTracker()
    with tracker.phase("forward"):
        found = sums(x, convolution), means(x, convolution)
    assert tracker.peak().total < 30 * 8 * AUDIO
    rows = patch_rows(x, convolution)
    assert_close(found[0], rows.sum(0), rtol=1e-4, atol=1e-2)
    assert_close(found[1], rows.unflatten(0, (2, -1)).mean(1), rtol=1e-4, atol=1e-5)


def test_signals_of_many_lengths_leave_a_bounded_memory():
    convolution, sums = nn.Conv1d(1, 2, 10, bias=False), PatchSums()
    for length in range(50_000, 50_040):
        sums(torch.rand(1, 1, length), convolution)
    assert len(sums._counts) == 2**22 // (10 * 50_040)
