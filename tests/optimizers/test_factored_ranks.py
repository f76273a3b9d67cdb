"""Factors of two ranks with half a batch each, against one rank with all of it."""

import pytest
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel
from torch.testing import assert_close

from evabench.optimizers import FOOF, KFAC
from tests.distributed import run_on_ranks
from tests.optimizers.test_ranks import NUM_STEPS, CountingAllReduce, net

CASES = {
    "kfac": lambda model: KFAC(model),
    "kfac, batch mean": lambda model: KFAC(model, output_gradient="batch_mean", clip="none", damping=0.3, lr=0.05),
    "foof": lambda model: FOOF(model, weight_sharing="expand"),
    "kfac, every second step": lambda model: KFAC(model, refresh_every=2),
}


def train(model, optimizer, rows):
    """Return the parameters after a few steps with these rows of every batch."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(NUM_STEPS):
        x = torch.randn(8, 2, 4, 4, generator=generator, dtype=torch.float64)[rows]
        y = torch.randn(8, 3, generator=generator, dtype=torch.float64)[rows]
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
    return [parameter.detach().clone() for parameter in model.parameters()]


def work(rank):
    counting = distributed.all_reduce = CountingAllReduce()
    results = {}
    for name, build in CASES.items():
        counting.sizes.clear()
        model = DistributedDataParallel(net())
        results[name] = (train(model, build(model), slice(4 * rank, 4 * rank + 4)), list(counting.sizes))
    return results


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    return run_on_ranks(work, 2, tmp_path_factory.mktemp("ranks"))


@pytest.mark.parametrize("name", CASES)
def test_two_ranks_with_half_a_batch_equal_one_with_all_of_it(ranks, name):
    model = net()
    expected = train(model, CASES[name](model), slice(None))
    for found, _ in (rank[name] for rank in ranks):
        assert_close(found, expected)


@pytest.mark.parametrize("name", CASES)
def test_the_factors_of_an_update_travel_in_one_message(ranks, name):
    inputs, outputs = 19**2 + 65**2, 4**2 + 3**2
    length = inputs if name == "foof" else inputs + outputs
    num_updates = 2 if "second" in name else NUM_STEPS
    assert all(rank[name][1] == [length] * num_updates for rank in ranks)
