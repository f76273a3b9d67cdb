"""What is loaded, and what is refused before anything is."""

import copy

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from evabench.optimizers import FOOF, KFAC, MFAC, Eva, EvaF, EvaS, Shampoo
from tests.optimizers.models import (
    BUILDS,
    assert_unchanged,
    backward,
    batch,
    parameters,
    small_net,
    snapshot,
    train,
)

EVERY = [FOOF, KFAC, MFAC, Eva, EvaF, EvaS, Shampoo]
each_class = pytest.mark.parametrize("optimizer_class", EVERY)
each_optimizer = pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS.keys())


def wider_net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).double()


@each_class
def test_a_state_of_another_model_is_refused_by_its_statistics_where_it_has_no_momentum(optimizer_class):
    train(model := small_net(), saved := optimizer_class(model, momentum=0.0), range(2))
    wider = wider_net()
    optimizer = optimizer_class(wider, momentum=0.0)
    train(wider, optimizer, range(2))
    before = snapshot(wider, optimizer)
    with pytest.raises(ValueError, match=r"the statistic \w+ of \d\.\w+ must have the shape .* nothing was loaded"):
        optimizer.load_state_dict(saved.state_dict())
    assert_unchanged(before, wider, optimizer)


@each_optimizer
def test_a_hook_that_sorts_a_state_moves_the_statistics_with_the_momentum(build):
    straight = small_net()
    train(straight, (optimizer := build(straight)), range(3))
    second = copy.deepcopy(straight)
    other = build(second)
    saved = copy.deepcopy(optimizer.state_dict())
    # As of a model that lists its layers the other way round; the hook puts each state in the place of its name.
    turned = {3 - place: state for place, state in saved["state"].items()}
    other.register_load_state_dict_pre_hook(
        lambda _, loaded: loaded | {"state": {3 - place: state for place, state in loaded["state"].items()}}
    )
    other.load_state_dict(saved | {"state": turned})
    train(straight, optimizer, range(3, 5))
    train(second, other, range(3, 5))
    assert_close(parameters(second), parameters(straight), rtol=0, atol=0)


PARTS = [
    (Eva, "b"),
    (Eva, "a"),
    (KFAC, "A"),
    (KFAC, "B"),
    (KFAC, "num_batches"),
    (FOOF, "num_batches"),
    (MFAC, "gradients"),
    (MFAC, "inner_products"),
    (MFAC, "position"),
]


@pytest.mark.parametrize(("optimizer_class", "name"), PARTS)
def test_a_state_that_was_deleted_in_part_stops_the_step_and_nothing_moves(optimizer_class, name):
    model = small_net()
    optimizer = optimizer_class(model)
    train(model, optimizer, range(2))
    del optimizer.state[model[0].weight][name]
    optimizer.zero_grad()
    backward(model, *batch())
    before = snapshot(model, optimizer)
    with pytest.raises(RuntimeError, match=r"the state of (0\.weight|the window) lacks .* Nothing has changed"):
        optimizer.step()
    assert_unchanged(before, model, optimizer)


@pytest.mark.parametrize(("optimizer_class", "name"), [each for each in PARTS if each != (MFAC, "gradients")])
def test_a_saved_state_that_was_deleted_in_part_is_refused(optimizer_class, name):
    model = small_net()
    optimizer = optimizer_class(model)
    train(model, optimizer, range(2))
    saved = copy.deepcopy(optimizer.state_dict())
    del saved["state"][0][name]
    with pytest.raises(ValueError, match=f"the state of 0.weight lacks the statistic {name}: .* nothing was loaded"):
        optimizer.load_state_dict(saved)


@each_optimizer
def test_a_state_that_was_cleared_starts_anew(build):
    model = small_net()
    optimizer = build(model)
    train(model, optimizer, range(12))  # so that the next step is a refresh, whatever the interval
    fresh = copy.deepcopy(model)
    optimizer.state.clear()
    train(model, optimizer, range(12, 15))
    train(fresh, build(fresh), range(12, 15))
    assert_close(parameters(model), parameters(fresh), rtol=0, atol=0)
