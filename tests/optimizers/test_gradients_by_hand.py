"""Gradients that are put together by hand: followed as they are, and counted inside of `accumulating`."""

import torch
from torch.testing import assert_close

from evabench.optimizers import FOOF, KFAC, Eva, EvaF
from evabench.optimizers.shell.coverage import coverage
from evabench.optimizers.shell.health import health
from tests.optimizers.models import backward, batch, small_net, train
from tests.optimizers.unit_linears import each_class, make, statistics, unit_linears, value

BY_HAND = "the gradient was set by hand: wrap the passes in `with optimizer.accumulating():`"


def two_losses(model, optimizer):
    """Put the gradients of two losses together, each after a `zero_grad` of its own."""
    output = model(value(1)).sum()
    made = []
    for loss in (3 * output, output):
        optimizer.zero_grad()
        loss.backward(retain_graph=True)
        made.append(model[0].weight.grad)
    model[0].weight.grad = made[0] + made[1]


@each_class
def test_a_gradient_put_together_by_hand_is_followed_as_it_is_and_health_says_so(optimizer_class):
    model = unit_linears()
    optimizer = optimizer_class(model, lr=0.1, momentum=0.0)
    two_losses(model, optimizer)
    optimizer.step()
    assert_close(model[0].weight.detach(), value(1 - 0.1 * 4))
    assert health(optimizer).why_plain == {"0": BY_HAND}
    assert coverage(optimizer).layers[0].reason == BY_HAND


@each_class
def test_a_layer_with_statistics_takes_a_plain_step_too_where_its_gradient_was_set_by_hand(optimizer_class):
    model, (x, y) = small_net(), batch()
    optimizer = optimizer_class(model, lr=0.1, momentum=0.0)
    train(model, optimizer, range(2))
    optimizer.zero_grad()
    backward(model, x, y)
    before = model[0].weight.detach().clone()
    model[0].weight.grad = made = 2 * model[0].weight.grad
    made = made.clone()
    optimizer.step()
    ratios = (before - model[0].weight.detach()) / made
    assert_close(ratios, ratios[0, 0].expand_as(ratios))
    assert health(optimizer).why_plain == {"0": BY_HAND}
    train(model, optimizer, range(1))
    assert health(optimizer).why_plain == {}


@each_class
def test_passes_inside_of_accumulating_count_whatever_is_done_to_their_gradients(optimizer_class):
    model = unit_linears()
    optimizer = make(optimizer_class, model)
    with optimizer.accumulating():
        two_losses(model, optimizer)
    optimizer.step()
    expected = {Eva: {"a": 1.0, "b": 4.0}, EvaF: {"a": 1.0}, FOOF: {"A": 1.0}, KFAC: {"A": 1.0, "B": 10.0}}
    assert statistics(optimizer, model[0]) == expected[optimizer_class]
    assert health(optimizer).why_plain == {}


@each_class
def test_gradients_of_autograd_grad_count_inside_of_accumulating_however_they_are_put_together(optimizer_class):
    model = unit_linears()
    optimizer = make(optimizer_class, model)
    with optimizer.accumulating():
        made = [torch.autograd.grad(model(value(x)).sum(), model[0].weight)[0] for x in (1, 4)]
        model[0].weight.grad = made[0] + made[1]
        optimizer.step()
    expected = {Eva: {"a": 2.5, "b": 1.0}, EvaF: {"a": 2.5}, FOOF: {"A": 8.5}, KFAC: {"A": 8.5, "B": 4.0}}
    assert statistics(optimizer, model[0]) == expected[optimizer_class]


@each_class
def test_after_accumulating_the_rules_are_the_usual_ones(optimizer_class):
    model = unit_linears()
    optimizer = make(optimizer_class, model)
    with optimizer.accumulating():
        model(value(7)).sum().backward()
    optimizer.zero_grad()
    model(value(3)).sum().backward()
    model[0].weight.grad = model[0].weight.grad.clone()
    optimizer.step()
    assert statistics(optimizer, model[0]) == {}
