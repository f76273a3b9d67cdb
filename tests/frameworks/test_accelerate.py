"""Real Accelerate: in one process, and on two ranks that train as one process does."""

import os

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from evabench.optimizers import KFAC, Eva
from tests.distributed import run_on_ranks
from tests.optimizers.models import parameters, small_net

pytestmark = pytest.mark.filterwarnings("ignore")  # what Accelerate says about its own code
BUILDS = {
    "eva": lambda model: Eva(model, output_gradient="per_example"),
    "kfac": lambda model: KFAC(model, refresh_every=2),
}


def train(accelerator, build, rows, num_steps=3):
    """Return the parameters after steps of two micro-batches each, every one clipped and scheduled."""
    model = small_net(torch.float32)
    optimizer = build(model)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.8)
    model, optimizer, schedule = accelerator.prepare(model, optimizer, schedule)
    generator = torch.Generator().manual_seed(0)
    for _ in range(2 * num_steps):
        x, y = torch.randn(8, 4, generator=generator)[rows], torch.randn(8, 3, generator=generator)[rows]
        with accelerator.accumulate(model):
            accelerator.backward(nn.functional.mse_loss(model(x), y))
            if accelerator.sync_gradients:
                accelerator.clip_grad_norm_(model.parameters(), 0.3)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
    return parameters(model)


def make(**settings):
    from accelerate import Accelerator  # here: a rank says first which one it is

    return Accelerator(cpu=True, gradient_accumulation_steps=2, step_scheduler_with_optimizer=False, **settings)


def work(rank):
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="localhost", MASTER_PORT="0")
    accelerator = make()
    assert accelerator.num_processes == 2
    rows = slice(4 * rank, 4 * rank + 4)
    return {name: train(accelerator, build, rows) for name, build in BUILDS.items()}


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    return run_on_ranks(work, 2, tmp_path_factory.mktemp("ranks"))


@pytest.mark.parametrize("name", BUILDS)
def test_two_ranks_of_accelerate_train_as_one_process_does(ranks, name):
    expected = train(make(), BUILDS[name], slice(None))
    for rank in ranks:
        assert_close(rank[name], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", BUILDS)
def test_a_state_that_accelerate_has_saved_continues_bit_for_bit(name, tmp_path):
    accelerator = make()
    model = small_net(torch.float32)
    model, optimizer = accelerator.prepare(model, BUILDS[name](model))

    def steps(seeds):
        for seed in seeds:
            generator = torch.Generator().manual_seed(seed)
            optimizer.zero_grad()
            nn.functional.mse_loss(model(torch.randn(8, 4, generator=generator)), torch.ones(8, 3)).backward()
            optimizer.step()

    steps(range(4))
    accelerator.save_state(str(tmp_path))
    steps(range(4, 8))
    straight = parameters(model)
    accelerator.load_state(str(tmp_path))
    steps(range(4, 8))
    assert_close(parameters(model), straight, rtol=0, atol=0)
