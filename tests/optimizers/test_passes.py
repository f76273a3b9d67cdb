"""Passes through a watched model that are not its training pass leave no trace, and break nothing."""

import copy

import pytest
import torch
from torch import func, nn
from torch.testing import assert_close

from evabench.optimizers import FOOF, KFAC, MFAC, Eva, EvaF, EvaS, Shampoo
from evabench.optimizers.shell.coverage import coverage
from tests.optimizers.models import backward, batch, parameters, small_net, snapshot, train

EVERY = [Eva, EvaF, EvaS, FOOF, KFAC, MFAC, Shampoo]
each_class = pytest.mark.parametrize("optimizer_class", EVERY)
each_watching = pytest.mark.parametrize("optimizer_class", [Eva, EvaF, FOOF, KFAC])
each_of_both_sides = pytest.mark.parametrize("optimizer_class", [Eva, KFAC])


def own(model):
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


def loss_of(model, weights, x, y):
    return nn.functional.mse_loss(func.functional_call(model, weights, (x,)), y)


def gradients(model, x, y):
    return func.grad(loss_of, argnums=1)(model, own(model), x, y)


def example_gradients(model, x, y):
    return func.vmap(func.grad(loss_of, argnums=1), (None, None, 0, 0))(model, own(model), x, y)


def tangents(model, x, y):
    return func.jvp(lambda weights: func.functional_call(model, weights, (x,)), (own(model),), (own(model),))


def of_a_teacher(model, x, y):
    weights = {name: (2 * value).requires_grad_() for name, value in own(model).items()}
    loss_of(model, weights, x, y).backward()


def adversarial(model, x, y):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(nn.functional.mse_loss(model(x), y), x)


def many_gradients(model, x, y):
    output = model(x)
    basis = torch.eye(3, dtype=x.dtype).unsqueeze(1).expand(3, *output.shape)
    return torch.autograd.grad(output, list(model.parameters()), basis, is_grads_batched=True)


TRANSFORMS = {
    "grad": gradients,
    "grad of the inputs": lambda model, x, y: func.grad(lambda x: model(x).sum())(x),
    "vmap": lambda model, x, y: func.vmap(model)(x),
    "grad of each example": example_gradients,
    "jvp": tangents,
    "jacrev": lambda model, x, y: func.jacrev(model)(x),
    "hessian": lambda model, x, y: func.hessian(lambda x: model(x).sum())(x[0]),
}
OTHERS = {
    "functional_call of a teacher": of_a_teacher,
    "inference_mode": lambda model, x, y: torch.inference_mode()(model)(x),
    "an AveragedModel": lambda model, x, y: torch.optim.swa_utils.AveragedModel(model).train()(x).sum().backward(),
}
WITHOUT_WEIGHTS = {
    "an adversarial example": adversarial,
    "gradients at once": many_gradients,
    "a vectorized jacobian": lambda model, x, y: torch.autograd.functional.jacobian(model, x, vectorize=True),
}


def assert_no_trace(optimizer_class, disturb):
    plain, disturbed = small_net(), small_net()
    reference, optimizer = optimizer_class(plain), optimizer_class(disturbed)
    train(plain, reference, range(3))
    for step in range(3):
        x, y = batch(seed=step)
        optimizer.zero_grad()
        disturb(disturbed, 2 * x, y)
        backward(disturbed, x, y)
        optimizer.step()
    assert_close(snapshot(disturbed, optimizer), snapshot(plain, reference), rtol=0, atol=0)


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:FutureWarning")  # torch's own, for jvp
@each_class
@pytest.mark.parametrize("disturb", TRANSFORMS.values(), ids=TRANSFORMS)
def test_a_pass_under_a_transform_of_torch_func_leaves_no_trace(optimizer_class, disturb):
    assert_no_trace(optimizer_class, disturb)


@each_class
@pytest.mark.parametrize("disturb", OTHERS.values(), ids=OTHERS)
def test_a_pass_of_other_weights_or_without_gradients_leaves_no_trace(optimizer_class, disturb):
    assert_no_trace(optimizer_class, disturb)


@each_of_both_sides
@pytest.mark.parametrize("disturb", WITHOUT_WEIGHTS.values(), ids=WITHOUT_WEIGHTS)
def test_a_backward_pass_that_gives_the_weights_no_gradient_leaves_no_trace(optimizer_class, disturb):
    assert_no_trace(optimizer_class, disturb)


@each_watching
def test_a_transform_gives_the_gradients_that_it_gives_without_an_optimizer(optimizer_class):
    plain, watched = small_net(), small_net()
    optimizer = optimizer_class(watched)
    assert_close(example_gradients(watched, *batch()), example_gradients(plain, *batch()), rtol=0, atol=0)
    assert not optimizer.capture.sums


@each_class
def test_a_functional_call_with_the_parameters_of_the_model_is_a_call_of_the_model(optimizer_class):
    plain, functional = small_net(), small_net()
    train(plain, optimizer_class(plain), range(3))
    optimizer = optimizer_class(functional)
    for step in range(3):
        optimizer.zero_grad()
        loss_of(functional, dict(functional.named_parameters()), *batch(seed=step)).backward()
        optimizer.step()
    assert_close(parameters(functional), parameters(plain), rtol=0, atol=0)


@each_watching
def test_gradients_that_a_transform_has_made_are_followed_as_they_are_and_coverage_says_so(optimizer_class):
    model = small_net()
    optimizer = optimizer_class(model, momentum=0.0, lr=0.1)
    before = parameters(model)
    made = gradients(model, *batch())
    for name, parameter in model.named_parameters():
        parameter.grad = made[name].clone()
    optimizer.step()
    assert_close(parameters(model), [old - 0.1 * made[name] for old, name in zip(before, made, strict=True)])
    assert "only in a torch.func transform" in str(coverage(optimizer))


@each_class
def test_gradients_of_autograd_grad_count_as_those_of_backward(optimizer_class):
    plain, by_hand = small_net(), small_net()
    train(plain, optimizer_class(plain), range(3))
    optimizer = optimizer_class(by_hand)
    for step in range(3):
        x, y = batch(seed=step)
        made = torch.autograd.grad(nn.functional.mse_loss(by_hand(x), y), list(by_hand.parameters()))
        for parameter, gradient in zip(by_hand.parameters(), made, strict=True):
            parameter.grad = gradient
        optimizer.step()
    assert_close(parameters(by_hand), parameters(plain), rtol=0, atol=0)


@each_of_both_sides
def test_the_statistics_beside_a_gradient_penalty_are_those_of_the_loss(optimizer_class):
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3)).double()  # no way from the penalty to an output
    penalised = copy.deepcopy(plain)
    reference, optimizer = optimizer_class(plain), optimizer_class(penalised)
    x, y = batch()
    backward(plain, x, y)
    x.requires_grad_()
    output = penalised(x)
    (slope,) = torch.autograd.grad(output.sum(), x, create_graph=True)
    (nn.functional.mse_loss(output, y) + slope.square().mean()).backward()
    for layer, other in zip(optimizer.layers, reference.layers, strict=True):
        assert_close(optimizer.capture.sums[layer].output_gradients, reference.capture.sums[other].output_gradients)
        assert optimizer.capture.sums[layer].num_rows == 8


@pytest.mark.parametrize("optimizer_class", [each for each in EVERY if each is not KFAC])
def test_two_losses_through_one_graph_equal_their_sum(optimizer_class):
    summed, apart = small_net(), small_net()
    optimizers = optimizer_class(summed), optimizer_class(apart)
    for step in range(3):
        x, y = batch(seed=step)
        for optimizer in optimizers:
            optimizer.zero_grad()
        output = summed(x)
        (nn.functional.mse_loss(output, y) + output.square().mean()).backward()
        output = apart(x)
        nn.functional.mse_loss(output, y).backward(retain_graph=True)
        output.square().mean().backward()
        for optimizer in optimizers:
            optimizer.step()
    assert_close(parameters(apart), parameters(summed))


def test_two_losses_through_one_graph_add_up_the_output_factors_of_kfac_over_the_same_rows():
    model = small_net()
    kfac = KFAC(model)
    x, y = batch()
    output = model(x)
    nn.functional.mse_loss(output, y).backward(retain_graph=True)
    once = {layer: sums.output_gradients.clone() for layer, sums in kfac.capture.sums.items()}
    nn.functional.mse_loss(output, y).backward()
    for layer, sums in kfac.capture.sums.items():
        assert_close(sums.output_gradients, 2 * once[layer])
        assert sums.num_rows == 8


@each_of_both_sides
def test_a_graph_that_a_later_step_goes_through_again_counts_again(optimizer_class):
    model = small_net()
    optimizer = optimizer_class(model)
    x, y = batch()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward(retain_graph=True)
    optimizer.zero_grad()
    loss.backward()
    assert all(sums.num_rows == 8 for sums in optimizer.capture.sums.values())


class WithBias(nn.Linear):
    def forward(self, x):
        return nn.functional.linear(x, self.weight), self.bias


@each_watching
def test_a_subclass_that_adds_its_bias_elsewhere_takes_the_plain_gradient_and_is_named(optimizer_class):
    model = nn.ModuleDict({"special": WithBias(4, 5), "usual": nn.Linear(5, 3)}).double()
    optimizer = optimizer_class(model)
    for step in range(2):
        x, y = batch(seed=step)
        optimizer.zero_grad()
        nn.functional.mse_loss(model["usual"](sum(model["special"](x))), y).backward()
        optimizer.step()
    assert optimizer.health().layers_without_statistics == ("special",)


@each_watching
def test_an_output_that_a_forward_hook_has_wrapped_is_that_of_the_layer(optimizer_class):
    model = nn.ModuleDict({"hooked": nn.Linear(4, 5), "usual": nn.Linear(5, 3)}).double()
    model["hooked"].register_forward_hook(lambda module, args, output: (output, args))
    optimizer = optimizer_class(model)
    x, y = batch()
    nn.functional.mse_loss(model["usual"](model["hooked"](x)[0]), y).backward()
    optimizer.step()
    assert coverage(optimizer).share == 1


@each_class
def test_a_layer_that_is_frozen_between_the_forward_and_the_backward_pass_stays_where_it_is(optimizer_class):
    model = small_net()
    optimizer = optimizer_class(model)
    x, y = batch()
    loss = nn.functional.mse_loss(model(x), y)
    model[2].requires_grad_(False)
    loss.backward()
    for parameter in model[2].parameters():
        parameter.grad = None
    before = parameters(model)
    optimizer.step()
    assert_close(parameters(model[2]), before[2:], rtol=0, atol=0)
    assert (model[0].weight != before[0]).any()


def code_of_the_model(model, optimizer):
    compiled = torch.compile(model, backend="aot_eager")

    def step(x, y):
        optimizer.zero_grad()
        backward(compiled, x, y)
        optimizer.step()

    return step


def code_of_the_step(model, optimizer):
    move = torch.compile(optimizer.step, backend="aot_eager")

    def step(x, y):
        optimizer.zero_grad()
        backward(model, x, y)
        move()

    return step


def code_of_everything(model, optimizer):
    @torch.compile(backend="aot_eager")
    def step(x, y):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()

    return step


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")  # of the compiler
@each_class
@pytest.mark.parametrize("code", [code_of_the_model, code_of_the_step, code_of_everything])
def test_under_torch_compile_the_steps_are_the_same(optimizer_class, code):
    plain, compiled = small_net(), small_net()
    train(plain, optimizer_class(plain), range(3))
    torch._dynamo.reset()
    step = code(compiled, optimizer_class(compiled))
    for seed in range(3):
        step(*batch(seed=seed))
    torch._dynamo.reset()
    assert_close(parameters(compiled), parameters(plain))


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")  # of the compiler
@each_watching
def test_a_model_that_was_compiled_before_or_whose_code_another_one_had_is_watched(optimizer_class):
    torch._dynamo.reset()
    torch._dynamo.config.skip_nnmodule_hook_guards = True  # torch's default
    plain, model, others = small_net(), small_net(), small_net()
    compiled, unwatched = (torch.compile(each, backend="aot_eager") for each in (model, others))
    backward(compiled, *batch())
    first, sgd = optimizer_class(model), torch.optim.SGD(others.parameters(), 0.1)
    second = optimizer_class(plain)
    for step in range(2):
        for net, optimizer in ((unwatched, sgd), (compiled, first), (plain, second)):
            train(net, optimizer, range(step, step + 1))
    torch._dynamo.reset()
    assert coverage(first).share == 1
    assert_close(parameters(model), parameters(plain))


@pytest.mark.filterwarnings("ignore:.torch.jit.trace.*deprecated:FutureWarning")
@each_watching
def test_a_traced_model_holds_nothing_of_the_optimizer(optimizer_class):
    model = small_net()
    optimizer = optimizer_class(model)
    x, _ = batch()
    nodes = torch.jit.trace(model, x).inlined_graph.nodes()
    assert [node.kind() for node in nodes if node.kind().startswith("aten::")] == [
        "aten::linear",
        "aten::tanh",
        "aten::linear",
    ]
    assert not optimizer.capture.sums
