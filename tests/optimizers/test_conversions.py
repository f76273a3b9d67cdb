"""A model that is converted to another type, or moved, while an optimizer holds a state for it."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from evabench.optimizers import FOOF, KFAC, MFAC, Eva, EvaF, EvaS, Shampoo
from evabench.optimizers.step.descent import MOMENTUM_BUFFER
from evabench.optimizers.tensors import statistic_type
from tests.optimizers.models import assert_unchanged, backward, batch, small_net, snapshot, train

each_class = pytest.mark.parametrize("optimizer_class", [Eva, EvaF, EvaS, FOOF, KFAC, MFAC, Shampoo])


def statistics(optimizer):
    return {
        (optimizer.names[parameter], key): value
        for parameter, state in optimizer.state.items()
        for key, value in state.items()
        if key != MOMENTUM_BUFFER and key not in optimizer.of_own_type
    }


@each_class
@pytest.mark.parametrize(
    ("dtype", "what"),
    [
        (torch.float64, "statistics are"),
        (torch.bfloat16, "momentum is"),
        (torch.float16, "momentum is"),
    ],
)
def test_a_model_that_was_converted_since_is_refused_with_both_types_and_nothing_moves(optimizer_class, dtype, what):
    model = small_net(torch.float32)
    optimizer = optimizer_class(model)
    train(model, optimizer, range(2))
    optimizer.zero_grad()
    model.to(dtype)
    backward(model, *batch(dtype=dtype))
    before = snapshot(model, optimizer)
    name = f"{optimizer_class.__name__} of the model as it is now"
    with pytest.raises(RuntimeError, match=rf"0\.weight is {dtype} now, but its {what} torch\.float32: .* {name}"):
        optimizer.step()
    assert_unchanged(before, model, optimizer)


@each_class
def test_without_momentum_half_precision_may_become_single_precision_whose_statistics_it_has(optimizer_class):
    model = small_net(torch.bfloat16)
    optimizer = optimizer_class(model, momentum=0.0)
    train(model, optimizer, range(2))
    train(model.float(), optimizer, range(2, 4))
    assert all(parameter.isfinite().all() for parameter in model.parameters())


@each_class
def test_a_state_on_another_device_than_the_model_is_refused_with_both_devices(optimizer_class):
    model = small_net()
    optimizer = optimizer_class(model)
    train(model, optimizer, range(2))
    backward(model, *batch())
    for state in optimizer.state.values():
        state.update({key: value.to("meta") for key, value in state.items()})
    with pytest.raises(RuntimeError, match=r"0\.weight is cpu now, but its statistics are meta: .* converted or moved"):
        optimizer.step()


@each_class
@pytest.mark.parametrize(
    ("before", "after"),
    [(torch.float32, torch.float64), (torch.float64, torch.float32), (torch.float64, torch.bfloat16)],
)
def test_a_new_optimizer_takes_the_state_of_the_old_one_along_in_the_new_type(optimizer_class, before, after):
    model = small_net(before)
    old = optimizer_class(model)
    train(model, old, range(3))
    new = optimizer_class(model.to(after))
    new.load_state_dict(old.state_dict())
    expected = {key: value.to(statistic_type(model[0].weight)) for key, value in statistics(old).items()}
    assert_close(statistics(new), expected, rtol=0, atol=0)
    train(model, new, range(3, 5))
    assert all(parameter.isfinite().all() for parameter in model.parameters())


@each_class
def test_a_gradient_of_another_type_than_its_parameter_is_refused(optimizer_class):
    model = small_net(torch.bfloat16)
    optimizer = optimizer_class(model)
    for parameter in model.parameters():
        parameter.grad_dtype = torch.float32
    backward(model, *batch(dtype=torch.bfloat16))
    for parameter in model.parameters():
        parameter.grad = parameter.grad.float()
    with pytest.raises(ValueError, match=r"0\.weight is torch\.bfloat16 and its gradient torch\.float32"):
        optimizer.step()


@each_class
def test_a_layer_in_another_precision_than_the_others_is_no_conversion(optimizer_class):
    class Mixed(nn.Sequential):
        def forward(self, x):
            return self[1](self[0](x).bfloat16()).float()

    model = Mixed(nn.Linear(4, 5), nn.Linear(5, 3).bfloat16())
    optimizer = optimizer_class(model)
    for step in range(3):
        optimizer.zero_grad()
        backward(model, *batch(seed=step, dtype=torch.float32))
        optimizer.step()
    assert all(parameter.isfinite().all() for parameter in model.parameters())
