"""Exactly the rows count whose gradient the layer's own weight receives, however it got there."""

import gc

import pytest
import torch
from torch import nn
from torch.testing import assert_close
from torch.utils.checkpoint import checkpoint

from evabench.optimizers import FOOF, KFAC, Eva, EvaF
from evabench.optimizers.shell.coverage import coverage
from evabench.optimizers.shell.health import health
from tests.optimizers.models import batch, parameters, small_net
from tests.optimizers.unit_linears import each_class, make, seen, statistics, unit_linears, value


@each_class
def test_a_gradient_that_was_only_looked_at_does_not_count(optimizer_class):
    model = unit_linears()
    optimizer = make(optimizer_class, model)
    loss = model(value(1)).sum()
    torch.autograd.grad(loss, model[0].weight, retain_graph=True)
    loss.backward()
    optimizer.step()
    assert statistics(optimizer, model[0]) == seen(optimizer_class, 1.0, 1.0)


@each_class
def test_gradients_of_some_weights_count_for_these_only(optimizer_class):
    model = unit_linears(2)
    optimizer = make(optimizer_class, model)
    loss = model(value(3)).sum()
    (model[0].weight.grad,) = torch.autograd.grad(loss, model[0].weight)
    optimizer.step()
    assert statistics(optimizer, model[0]) == seen(optimizer_class, 3.0, 1.0)
    assert statistics(optimizer, model[1]) == {}


@each_class
def test_a_later_look_at_another_weight_leaves_what_a_first_one_has_returned(optimizer_class):
    model = unit_linears(2)
    optimizer = make(optimizer_class, model)
    (first,) = torch.autograd.grad(model(value(3)).sum(), model[1].weight)
    torch.autograd.grad(model(value(5)).sum(), model[0].weight)
    model[1].weight.grad = first
    optimizer.step()
    assert statistics(optimizer, model[1]) == seen(optimizer_class, 3.0, 1.0)


@each_class
def test_a_gradient_of_autograd_grad_that_is_in_place_counts_whatever_is_looked_at_later(optimizer_class):
    model = unit_linears()
    optimizer = make(optimizer_class, model)
    (model[0].weight.grad,) = torch.autograd.grad(model(value(3)).sum(), model[0].weight)
    torch.autograd.grad(model(value(9)).sum(), model[0].weight)
    optimizer.step()
    assert statistics(optimizer, model[0]) == seen(optimizer_class, 3.0, 1.0)


@each_class
def test_a_step_inside_of_the_backward_pass_uses_its_statistics(optimizer_class):
    model = unit_linears(2)
    optimizers = {layer.weight: make(optimizer_class, layer) for layer in model}

    def move(weight):
        optimizers[weight].step()
        optimizers[weight].zero_grad()

    for weight in optimizers:
        weight.register_post_accumulate_grad_hook(move)
    model(value(3)).sum().backward()
    for layer in model:
        assert statistics(optimizers[layer.weight], layer) == seen(optimizer_class, 3.0, 1.0)
        assert health(optimizers[layer.weight]).why_plain == {}


@each_class
def test_a_backward_pass_for_some_weights_counts_for_these_only(optimizer_class):
    model = unit_linears(2)
    optimizer = make(optimizer_class, model)
    torch.autograd.backward(model(value(3)).sum(), inputs=[model[1].weight])
    optimizer.step()
    assert statistics(optimizer, model[0]) == {}
    assert statistics(optimizer, model[1]) == seen(optimizer_class, 3.0, 1.0)


@each_class
def test_what_autograd_grad_returned_and_a_backward_pass_add_up(optimizer_class):
    model = unit_linears()
    optimizer = make(optimizer_class, model)
    (model[0].weight.grad,) = torch.autograd.grad(model(value(1)).sum(), model[0].weight)
    model(value(4)).sum().backward()
    optimizer.step()
    expected = {Eva: {"a": 2.5, "b": 1.0}, EvaF: {"a": 2.5}, FOOF: {"A": 8.5}, KFAC: {"A": 8.5, "B": 4.0}}
    assert statistics(optimizer, model[0]) == expected[optimizer_class]


@each_class
@pytest.mark.parametrize("use_reentrant", [False, True])
def test_a_pass_without_gradients_before_checkpointed_ones_leaves_no_trace(optimizer_class, use_reentrant):
    model = unit_linears(2)
    optimizer = make(optimizer_class, model)
    with torch.no_grad():
        model(value(7))
    for x in (1, 4):
        checkpoint(model, value(x).requires_grad_(), use_reentrant=use_reentrant).sum().backward()
    optimizer.step()
    expected = {Eva: {"a": 2.5, "b": 1.0}, EvaF: {"a": 2.5}, FOOF: {"A": 8.5}, KFAC: {"A": 8.5, "B": 4.0}}
    assert statistics(optimizer, model[0]) == expected[optimizer_class]


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad=True:UserWarning")  # of the inner ones
@each_class
@pytest.mark.parametrize("outer", [False, True])
@pytest.mark.parametrize("inner", [False, True])
def test_checkpoints_in_checkpoints_count_once(optimizer_class, outer, inner):
    model = unit_linears(2)
    optimizer = make(optimizer_class, model)

    def both(x):
        return checkpoint(model[1], checkpoint(model[0], x, use_reentrant=inner), use_reentrant=inner)

    for x in (1, 4):
        checkpoint(both, value(x).requires_grad_(), use_reentrant=outer).sum().backward()
    optimizer.step()
    expected = {Eva: {"a": 2.5, "b": 1.0}, EvaF: {"a": 2.5}, FOOF: {"A": 8.5}, KFAC: {"A": 8.5, "B": 4.0}}
    for layer in model:
        assert statistics(optimizer, layer) == expected[optimizer_class]


@each_class
def test_a_layer_inside_and_outside_of_a_reentrant_checkpoint_counts_both_uses(optimizer_class):
    model = unit_linears()
    optimizer = make(optimizer_class, model)
    model(checkpoint(model, value(3).requires_grad_(), use_reentrant=True) + 2).sum().backward()
    optimizer.step()
    expected = {Eva: {"a": 4.0, "b": 1.0}, EvaF: {"a": 4.0}, FOOF: {"A": 17.0}, KFAC: {"A": 17.0, "B": 4.0}}
    assert statistics(optimizer, model[0]) == expected[optimizer_class]


@each_class
def test_the_bias_of_one_of_two_modules_that_share_a_weight_is_no_column_of_both(optimizer_class):
    model = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1)]).double()
    model[1].weight = model[0].weight
    optimizer = make(optimizer_class, model)
    (model[0](value(1)) + model[1](value(4))).sum().backward()
    optimizer.step()
    expected = {Eva: {"a": 2.5, "b": 1.0}, EvaF: {"a": 2.5}, FOOF: {"A": 8.5}, KFAC: {"A": 8.5, "B": 4.0}}
    assert statistics(optimizer, model[0]) == expected[optimizer_class]
    assert [each.num_parameters for each in coverage(optimizer).layers if each.treatment == "preconditioned"] == [1]


@each_class
def test_a_forward_pass_without_a_backward_pass_does_not_count(optimizer_class):
    model = unit_linears()
    optimizer = make(optimizer_class, model)
    model(value(7))
    model(value(3)).sum().backward()
    model(value(7))
    optimizer.step()
    assert statistics(optimizer, model[0]) == seen(optimizer_class, 3.0, 1.0)


@each_class
def test_gradients_zeroed_between_the_forward_and_the_backward_pass_leave_its_statistics(optimizer_class):
    model = unit_linears()
    optimizer = make(optimizer_class, model)
    loss = model(value(3)).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    assert statistics(optimizer, model[0]) == seen(optimizer_class, 3.0, 1.0)


def by_module(model, optimizer):
    model.zero_grad()


def by_module_in_place(model, optimizer):
    model.zero_grad(set_to_none=False)


def by_hand(model, optimizer):
    for parameter in model.parameters():
        parameter.grad = None


def in_place_by_hand(model, optimizer):
    for parameter in model.parameters():
        parameter.grad.zero_()


def by_optimizer(model, optimizer):
    optimizer.zero_grad()


def by_optimizer_in_place(model, optimizer):
    optimizer.zero_grad(set_to_none=False)


WAYS_TO_FORGET = [by_module, by_module_in_place, by_hand, in_place_by_hand, by_optimizer, by_optimizer_in_place]


@each_class
@pytest.mark.parametrize("forget", WAYS_TO_FORGET)
def test_statistics_are_forgotten_with_their_gradients_whoever_forgets_these(optimizer_class, forget):
    model = unit_linears()
    optimizer = make(optimizer_class, model)
    model(value(7)).sum().backward()
    forget(model, optimizer)
    model(value(3)).sum().backward()
    optimizer.step()
    assert statistics(optimizer, model[0]) == seen(optimizer_class, 3.0, 1.0)


@each_class
def test_statistics_are_forgotten_with_their_gradients_where_the_next_pass_does_not_count(optimizer_class):
    model = unit_linears()
    optimizer = make(optimizer_class, model)
    model(value(7)).sum().backward()
    model.zero_grad()
    model.eval()(value(3)).sum().backward()
    optimizer.step()
    assert statistics(optimizer, model[0]) == {}


@each_class
@pytest.mark.parametrize("forget", [by_module_in_place, in_place_by_hand])
def test_statistics_are_forgotten_with_their_gradients_where_the_next_pass_leads_elsewhere(optimizer_class, forget):
    model = unit_linears(2)
    optimizer = make(optimizer_class, model)
    model(value(7)).sum().backward()
    forget(model, optimizer)
    model[1](value(3)).sum().backward()
    optimizer.step()
    assert statistics(optimizer, model[0]) == {}
    assert statistics(optimizer, model[1]) == seen(optimizer_class, 3.0, 1.0)


@each_class
def test_two_adversaries_who_zero_the_gradients_of_their_models_train_as_with_the_optimizers(optimizer_class):
    trained = []
    for zero in (by_module, by_optimizer):
        torch.manual_seed(0)
        critic, maker = small_net(), nn.Linear(4, 4).double()
        optimizers = optimizer_class(critic, lr=0.01), optimizer_class(maker, lr=0.01)
        for step in range(4):
            x, noise = batch(seed=step)[0], batch(seed=step + 50)[0]
            zero(critic, optimizers[0])
            critic(x).square().mean().backward()
            made = maker(noise)
            critic(made.detach()).mean().backward()
            optimizers[0].step()
            zero(maker, optimizers[1])
            critic(made).square().mean().backward()  # leaves gradients, and statistics, in the critic
            optimizers[1].step()
        trained.append(parameters(critic) + parameters(maker))
    assert_close(*trained, rtol=0, atol=0)


@each_class
def test_gradients_scaled_in_place_between_two_passes_keep_their_statistics(optimizer_class):
    model = unit_linears()
    optimizer = make(optimizer_class, model)
    model(value(1)).sum().backward()
    model[0].weight.grad.mul_(0.5)
    model(value(4)).sum().backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1e-3)
    optimizer.step()
    expected = {Eva: {"a": 2.5, "b": 1.0}, EvaF: {"a": 2.5}, FOOF: {"A": 8.5}, KFAC: {"A": 8.5, "B": 4.0}}
    assert statistics(optimizer, model[0]) == expected[optimizer_class]


@each_class
def test_a_gradient_that_is_gone_at_the_step_takes_its_statistics_along(optimizer_class):
    model = unit_linears(2)
    optimizer = make(optimizer_class, model)
    model(value(3)).sum().backward()
    model[0].weight.grad = None
    optimizer.step()
    assert statistics(optimizer, model[0]) == {}
    assert statistics(optimizer, model[1]) == seen(optimizer_class, 3.0, 1.0)


@pytest.mark.filterwarnings("ignore:Using backward.. with create_graph=True:UserWarning")
@each_class
def test_a_gradient_made_with_a_graph_of_its_own_counts(optimizer_class):
    model = unit_linears()
    optimizer = make(optimizer_class, model)
    for x in (1, 4):
        model(value(x)).sum().backward(create_graph=True)
    optimizer.step()
    expected = {Eva: {"a": 2.5, "b": 1.0}, EvaF: {"a": 2.5}, FOOF: {"A": 8.5}, KFAC: {"A": 8.5, "B": 4.0}}
    assert statistics(optimizer, model[0]) == expected[optimizer_class]
    model[0].weight.grad = None


@each_class
def test_a_backward_pass_that_an_error_cuts_short_leaves_no_trace(optimizer_class):
    model = unit_linears(2)
    optimizer = make(optimizer_class, model)

    def refuse(gradient):
        raise RuntimeError("refused")

    hidden = model[0](value(7))
    hidden.register_hook(refuse)
    with pytest.raises(RuntimeError, match="refused"):
        model[1](hidden).sum().backward()
    optimizer.zero_grad()
    model(value(3)).sum().backward()
    optimizer.step()
    for layer in model:
        assert statistics(optimizer, layer) == seen(optimizer_class, 3.0, 1.0)


WITH_VIEWS = {
    "sequence": (lambda: nn.Linear(4, 5), (6, 3, 4)),
    "many axes": (lambda: nn.Linear(4, 5), (6, 3, 2, 4)),
    "signal": (lambda: nn.Conv1d(4, 5, 3), (6, 4, 7)),
    "image": (lambda: nn.Conv2d(4, 5, 3), (6, 4, 7, 5)),
}


@each_class
@pytest.mark.parametrize(("layer", "shape"), WITH_VIEWS.values(), ids=WITH_VIEWS)
def test_an_activation_in_place_hides_no_output_that_torch_has_given_another_shape(optimizer_class, layer, shape):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    caught = []
    for inplace in (False, True):
        torch.manual_seed(0)
        model = nn.Sequential(layer(), nn.ReLU(inplace=inplace)).double()
        optimizer = optimizer_class(model)
        model(x).square().mean().backward()
        ((_, sums),) = optimizer.capture.sums.items()
        caught.append((sums.inputs, 0 if sums.output_gradients is None else sums.output_gradients))
    assert_close(*caught)


WHY_IDLE = {
    "never called": (lambda model, x: model["usual"](x), "its hook never fired"),
    "eval": (lambda model, x: model["usual"](x) + model["other"].eval()(x), "it was not in training mode"),
    "no_grad": (lambda model, x: model["usual"](x) + torch.no_grad()(model["other"])(x), "without gradients"),
    "detached": (lambda model, x: model["usual"](x) + model["other"](x).detach(), "no backward pass has led to"),
}


def test_the_hooks_of_the_weights_go_with_the_optimizer():
    model = small_net()
    optimizer = Eva(model)
    assert model[0].weight._post_accumulate_grad_hooks
    del optimizer
    gc.collect()
    assert not model[0].weight._post_accumulate_grad_hooks
    assert not model[0].weight._backward_hooks


@each_class
def test_before_the_first_step_coverage_says_that_there_was_none(optimizer_class):
    optimizer = optimizer_class(small_net())
    assert {each.reason for each in coverage(optimizer).layers} == {"no step yet"}


@each_class
@pytest.mark.parametrize(("run", "words"), WHY_IDLE.values(), ids=WHY_IDLE)
def test_coverage_says_why_a_layer_has_no_statistics(optimizer_class, run, words):
    model = nn.ModuleDict({"usual": nn.Linear(4, 3), "other": nn.Linear(4, 3)}).double()
    optimizer = optimizer_class(model)
    run(model, batch()[0]).sum().backward()
    optimizer.step()
    (other,) = (each for each in coverage(optimizer).layers if each.name == "other")
    assert other.treatment == "plain gradient"
    assert words in other.reason
