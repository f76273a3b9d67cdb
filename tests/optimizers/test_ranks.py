"""Two ranks with half a batch each, against one rank with all of it."""

import pickle

import pytest
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel
from torch.testing import assert_close

from evabench.optimizers import FOOF, KFAC, MFAC, Eva, EvaF, EvaS, Shampoo
from evabench.optimizers.step.ranks import Ranks
from tests.distributed import run_on_ranks

CASES = {
    "eva, batch mean": lambda model: Eva(model, clip="none", damping=0.3, lr=0.05),
    "eva, clipped": lambda model: Eva(model, weight_decay=0.1),
    "eva, per example": lambda model: Eva(model, output_gradient="per_example"),
    "eva-f": lambda model: EvaF(model, lr=0.01),
    "eva-s": lambda model: EvaS(model, lr=0.05),
    "kfac": lambda model: KFAC(model, refresh_every=1),
    "kfac, batch mean": lambda model: KFAC(
        model, output_gradient="batch_mean", clip="none", damping=0.3, lr=0.05, refresh_every=1
    ),
    "kfac, every second step": lambda model: KFAC(model, refresh_every=2),
    "foof": lambda model: FOOF(model, weight_sharing="expand", refresh_every=1),
    "shampoo": lambda model: Shampoo(model, lr=0.05, refresh_every=1),
    "m-fac": lambda model: MFAC(model, damping=0.1, lr=0.01),
    "eva, plain average": lambda model: Eva(model, lr=1e-15, clip="none", across_ranks="plain_average"),
}
SENDERS = {"eva": Eva, "eva-f": EvaF, "kfac": KFAC, "foof": FOOF}
NUM_STEPS = 3
VECTORS = (2 * 9 + 64, 4 + 3)  # numbers of the inputs, and of the output gradients
FACTORS = (19**2 + 65**2, 4**2 + 3**2)
MESSAGES = {  # of a whole run, by the length of each; what follows from the averaged gradients needs none
    "eva-f": [VECTORS[0]] * NUM_STEPS,
    "eva-s": [],
    "kfac": [sum(FACTORS)] * NUM_STEPS,
    "kfac, batch mean": [sum(FACTORS)] * NUM_STEPS,
    "kfac, every second step": [sum(FACTORS)] * 2,
    "foof": [FACTORS[0]] * NUM_STEPS,
    "shampoo": [],
    "m-fac": [],
}


def net():
    torch.manual_seed(0)
    layers = (nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(64, 3))
    return nn.Sequential(*layers).double()


def train(model, optimizer, rows):
    """Return parameters and vectors after a few steps with these rows of every batch."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(NUM_STEPS):
        x = torch.randn(8, 2, 4, 4, generator=generator, dtype=torch.float64)[rows]
        y = torch.randn(8, 3, generator=generator, dtype=torch.float64)[rows]
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
    names = [name for name in ("a", "b") if name in optimizer.state[optimizer.layers[0].weight]]
    vectors = [optimizer.state[layer.weight][name] for layer in optimizer.layers for name in names]
    return [parameter.detach().clone() for parameter in model.parameters()], vectors


class CountingAllReduce:
    """Counts the calls of the optimizer; DDP's own go another way."""

    def __init__(self):
        self.sizes = []
        self.real = distributed.all_reduce

    def __call__(self, tensor, *args, **kwargs):
        self.sizes.append(tensor.numel())
        return self.real(tensor, *args, **kwargs)


def work(rank):
    rows = slice(4 * rank, 4 * rank + 4)
    counting = distributed.all_reduce = CountingAllReduce()
    results = {}
    for name, build in CASES.items():
        counting.sizes.clear()
        model = DistributedDataParallel(net())
        results[name] = (*train(model, build(model), rows), list(counting.sizes))
    shared = DistributedDataParallel(net(), gradient_as_bucket_view=True)
    results["eva, gradients in buckets"] = train(shared, Eva(shared, weight_decay=0.1), rows)
    everybody = distributed.new_group([0, 1])
    for name, build in SENDERS.items():
        shared = DistributedDataParallel(net())
        results[f"{name}, a group of its own"] = train(shared, build(shared, process_group=everybody), rows)
        if rank == 0:  # the other rank trains nothing: a message would wait for it
            counting.sizes.clear()
            alone = net()
            results[f"{name}, alone"] = (
                *train(alone, build(alone, process_group=False), slice(None)),
                len(counting.sizes),
            )
    results["mean"] = Ranks().average(torch.tensor([1.0 + rank, 5.0]))
    return results


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    return run_on_ranks(work, 2, tmp_path_factory.mktemp("ranks"))


@pytest.mark.parametrize("name", [name for name in CASES if "plain" not in name])
def test_two_ranks_with_half_a_batch_equal_one_with_all_of_it(ranks, name):
    model = net()
    parameters, vectors = train(model, CASES[name](model), slice(None))
    for found_parameters, found_vectors, _ in (rank[name] for rank in ranks):
        assert_close(found_parameters, parameters)
        assert_close(found_vectors, vectors)


def test_gradients_that_were_moved_into_buckets_are_those_that_autograd_has_made(ranks):
    for rank in ranks:
        assert_close(rank["eva, gradients in buckets"], rank["eva, clipped"][:2], rtol=0, atol=0)


@pytest.mark.parametrize("name", CASES)
def test_the_statistics_of_a_step_travel_in_one_message(ranks, name):
    expected = MESSAGES.get(name, [sum(VECTORS)] * NUM_STEPS)
    assert all(rank[name][2] == expected for rank in ranks)


def test_the_cases_hold_every_own_optimizer():
    assert {type(build(net())) for build in CASES.values()} == {Eva, EvaF, EvaS, KFAC, FOOF, Shampoo, MFAC}


def test_the_plain_average_of_the_authors_is_larger_by_the_number_of_ranks(ranks):
    model = net()
    _, vectors = train(model, Eva(model, lr=1e-15, clip="none"), slice(None))
    _, found, _ = ranks[0]["eva, plain average"]
    assert_close(found[0::2], vectors[0::2])
    assert_close(found[1::2], [2 * b for b in vectors[1::2]])


def test_a_mean_over_ranks(ranks):
    assert all(torch.equal(rank["mean"], torch.tensor([1.5, 5.0])) for rank in ranks)


def test_without_a_process_group_there_is_one_rank():
    assert Ranks().count() == 1


@pytest.mark.parametrize("name", SENDERS)
def test_a_model_of_its_own_is_trained_beside_a_process_group_without_a_message(ranks, name):
    model = net()
    expected, _ = train(model, SENDERS[name](model), slice(None))
    found, _, num_messages = ranks[0][f"{name}, alone"]
    assert_close(found, expected, rtol=0, atol=0)
    assert num_messages == 0


@pytest.mark.parametrize("name", SENDERS)
def test_the_ranks_of_a_group_that_is_passed_train_one_model(ranks, name):
    model = net()
    expected, _ = train(model, SENDERS[name](model), slice(None))
    for rank in ranks:
        assert_close(rank[f"{name}, a group of its own"][0], expected)


def test_an_optimizer_without_a_group_of_its_own_can_be_pickled():
    for process_group in (None, False):
        assert pickle.loads(pickle.dumps(Ranks(process_group))).process_group is process_group
