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


GROUPS = [{"params": [0, 1, 2, 3]}]
NO_STATES = {
    "a list": ({"state": [], "param_groups": GROUPS}, "a list of 0 as state"),
    "nothing": ({"state": None, "param_groups": GROUPS}, "None as state"),
    "a number for a parameter": ({"state": {0: 5}, "param_groups": GROUPS}, "5 as the state of parameter 0"),
    "a text for a momentum": ({"state": {0: {"momentum_buffer": "x"}}, "param_groups": GROUPS}, '"x" as a momentum'),
    "no groups": ({"state": {}, "param_groups": []}, "a list of 0 as param_groups"),
    "a dictionary of groups": ({"state": {}, "param_groups": {0: GROUPS[0]}}, "a dict of 1 as param_groups"),
    "a number for a group": ({"state": {}, "param_groups": [5]}, "5 without a list of params as a group"),
}


@each_class
@pytest.mark.parametrize(("state", "words"), NO_STATES.values(), ids=NO_STATES)
def test_what_has_not_the_form_of_a_state_is_named_and_nothing_is_loaded(optimizer_class, state, words):
    model = small_net()
    optimizer = optimizer_class(model)
    train(model, optimizer, range(1))
    before = snapshot(model, optimizer)
    with pytest.raises(ValueError, match=f"got {words}; nothing was loaded"):
        optimizer.load_state_dict(state)
    assert_unchanged(before, model, optimizer)


@each_class
def test_a_saved_setting_that_is_out_of_bounds_is_refused_and_one_that_is_missing_stays(optimizer_class):
    model = small_net()
    optimizer = optimizer_class(model, momentum=0.5)
    train(model, optimizer, range(1))
    state = copy.deepcopy(optimizer.state_dict())
    state["param_groups"][0]["lr"] = "fast"
    with pytest.raises(ValueError, match='load_state_dict: group 0: lr must be a number, got the text "fast"; nothing'):
        optimizer.load_state_dict(state)
    del state["param_groups"][0]["lr"], state["param_groups"][0]["momentum"]
    optimizer.load_state_dict(state)
    train(model, optimizer, range(1, 2))
    assert optimizer.param_groups[0]["momentum"] == 0.5


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


def parts_of(build):
    """Yield every statistic of every parameter in turn, in a model and its optimizer after three steps of their own.

    A momentum that is gone starts anew, as in torch; so does a statistic that has no other beside it.
    """
    train(model := small_net(), trained := build(model), range(3))
    for place, state in trained.state_dict()["state"].items():
        statistics = [name for name in state if name != "momentum_buffer"]
        for name in statistics if len(statistics) > 1 or "gradients" in statistics else ():
            yield place, name, *copy.deepcopy((model, trained))


each_of_parts = pytest.mark.parametrize(
    "build",
    [BUILDS[name] for name in BUILDS if "eva-" not in name],
    ids=[name for name in BUILDS if "eva-" not in name],
)


@each_of_parts
def test_a_state_that_was_deleted_in_any_part_stops_the_step_and_nothing_moves(build):
    for place, name, model, optimizer in parts_of(build):
        del optimizer.state[list(model.parameters())[place]][name]
        optimizer.zero_grad()
        backward(model, *batch())
        before = snapshot(model, optimizer)
        with pytest.raises(RuntimeError, match=r"the state of (\d\.\w+|the window) lacks .* Nothing has changed"):
            optimizer.step()
        assert_unchanged(before, model, optimizer)


@each_of_parts
def test_a_saved_state_that_was_deleted_in_any_part_is_refused(build):
    for place, name, model, optimizer in parts_of(build):
        if name == "gradients" and optimizer.defaults["momentum"] == 0:
            continue  # nothing says that the parameter ever had one
        saved = copy.deepcopy(optimizer.state_dict())
        del saved["state"][place][name]
        before = snapshot(model, optimizer)
        told = rf"the state of \d\.\w+ lacks the statistic [ \w]*{name}[ \w]*: .* nothing was loaded"
        with pytest.raises(ValueError, match=told):
            optimizer.load_state_dict(saved)
        assert_unchanged(before, model, optimizer)


@pytest.mark.parametrize("optimizer_class", [KFAC, FOOF, Shampoo])
def test_a_step_that_an_error_ends_leaves_no_part_of_a_state(optimizer_class, monkeypatch):
    model = small_net()
    optimizer = optimizer_class(model)
    backward(model, *batch())
    with monkeypatch.context() as patched:
        for name in ("cholesky_ex", "eigh"):
            patched.setattr(torch.linalg, name, lambda *_, **__: (_ for _ in ()).throw(MemoryError("no room")))
        with pytest.raises(MemoryError, match="no room"):
            optimizer.step()
    train(model, optimizer, range(2))


def test_a_layer_that_first_has_a_gradient_between_two_refreshes_is_no_state_in_part():
    model = small_net()
    for build in (
        lambda net: KFAC(net, refresh_every=4, statistics_every=2),
        lambda net: Shampoo(net, refresh_every=4),
    ):
        optimizer = build(model)
        for step in range(6):
            optimizer.zero_grad()
            out = model(batch()[0])
            (out if step > 1 else model[0](batch()[0])).square().mean().backward()
            optimizer.step()
            saved = copy.deepcopy(optimizer.state_dict())
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
