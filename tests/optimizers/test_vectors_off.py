"""The ablation arms: what Eva, Eva-f and Eva-s are without their curvature, at the cost that they have with it."""

import copy

import pytest
import torch
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from evabench.optimizers import Eva, EvaF, EvaS
from tests.optimizers.conv_net import ConvNet, conv_loss
from tests.optimizers.models import backward, batch, directions, parameters, small_net, train

DAMPING, LR, KL_CLIP = 0.03, 0.1, 1e-4
CLIPS = ["none", "kl_clip", "kl_normalization", "rescale"]
each_method = pytest.mark.parametrize("optimizer_class", [Eva, EvaF, EvaS])


def gradients(model):
    return [parameter.grad.clone() for parameter in model.parameters()]


def scale_by_hand(G, clip, divisor):
    """Return the factor by which a step multiplies G: 1 / divisor, and the clip of P = G / divisor."""
    square = sum(g.square().sum() for g in G)
    nu = {
        "none": 1.0,
        "kl_clip": min(1.0, float((KL_CLIP / (LR**2 * square / divisor)) ** 0.5)),
        "kl_normalization": float((square / divisor) ** -0.5),
        "rescale": divisor,
    }[clip]
    return nu / divisor


@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("optimizer_class", [Eva, EvaF])
def test_the_direction_is_the_gradient_under_the_same_clip(optimizer_class, clip):
    model, (x, y) = small_net(), batch()
    optimizer = optimizer_class(model, lr=LR, damping=DAMPING, clip=clip, kl_clip=KL_CLIP, vectors="off")
    backward(model, x, y)
    G = gradients(model)
    optimizer.step()
    divisor = DAMPING if optimizer_class is Eva and clip != "kl_normalization" else 1.0
    assert_close(gradients(model), [scale_by_hand(G, clip, divisor) * g for g in G])


def test_eva_s_without_vectors_is_sgd():
    net, twin = small_net(), small_net()
    train(net, EvaS(net, lr=0.1, momentum=0.9, weight_decay=0.01, vectors="off"), range(5))
    train(twin, torch.optim.SGD(twin.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01), range(5))
    assert_close(parameters(net), parameters(twin))


def test_eva_without_vectors_or_a_clip_is_sgd_at_the_rate_over_the_damping():
    net, twin = small_net(), small_net()
    train(net, Eva(net, lr=0.01, damping=DAMPING, clip="none", vectors="off"), range(5))
    train(twin, torch.optim.SGD(twin.parameters(), lr=0.01 / DAMPING, momentum=0.9), range(5))
    assert_close(parameters(net), parameters(twin))


@each_method
def test_the_vectors_are_kept_all_the_same_and_change_nothing(optimizer_class):
    net, twin = small_net(), small_net()
    on, off = optimizer_class(net, lr=1e-12), optimizer_class(twin, lr=1e-12, vectors="off")
    train(net, on, range(3))
    train(twin, off, range(3))
    for one, other in zip(on.layers, off.layers, strict=True):
        for name in optimizer_class.statistics:
            assert_close(on.state[one.weight][name], off.state[other.weight][name], rtol=1e-6, atol=1e-9)
    assert off.health().layers_without_statistics == ()


class Operators(TorchDispatchMode):
    """Names every operator of a step, with the shapes that it is given."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.seen.append((str(function), tuple(tuple(one.shape) for one in args if isinstance(one, torch.Tensor))))
        return function(*args, **(kwargs or {}))


@each_method
@pytest.mark.parametrize("net", [small_net, ConvNet])
def test_a_step_is_made_of_the_same_operators(optimizer_class, net):
    seen = []
    for vectors in ("on", "off"):
        model = net().double()
        optimizer = optimizer_class(model, vectors=vectors)
        with Operators() as operators:
            if net is ConvNet:
                conv_loss(model).backward()
            else:
                backward(model, *batch())
            optimizer.step()
        seen.append(operators.seen)
    assert seen[0] == seen[1]
    assert len(seen[0]) > 20


@pytest.mark.parametrize("optimizer_class", [Eva, EvaF])
def test_a_compiled_step_leaves_the_curvature_out_as_well(optimizer_class, monkeypatch):
    from evabench.optimizers.eva import compiled

    monkeypatch.setattr(compiled, "BACKEND", "aot_eager")
    trained = []
    for compile in (False, True):
        model = small_net()
        train(model, optimizer_class(model, lr=0.01, vectors="off", compile=compile), range(2))
        trained.append(parameters(model))
    assert_close(trained[1], trained[0])


@each_method
def test_a_state_of_the_time_before_this_setting_goes_on_with_its_vectors(optimizer_class):
    model, twin = small_net(), small_net()
    optimizer, other = optimizer_class(model), optimizer_class(twin)
    train(model, optimizer, range(2))
    state = copy.deepcopy(optimizer.state_dict())
    for group in state["param_groups"]:
        del group["vectors"]
    twin.load_state_dict(model.state_dict())
    other.load_state_dict(state)
    for net, one in ((model, optimizer), (twin, other)):
        train(net, one, range(2, 4))
    assert_close(parameters(twin), parameters(model))


def test_a_word_that_is_no_choice_is_refused():
    with pytest.raises(ValueError, match='vectors must be one of "on", "off", got'):
        Eva(small_net(), vectors="none")


def test_the_curvature_is_what_the_setting_takes_away():
    """The tests above would pass with a curvature of nothing on both sides."""
    written = []
    for vectors in ("on", "off"):
        model = small_net()
        eva = Eva(model, damping=1e-3, clip="rescale", output_gradient="per_example", vectors=vectors)
        backward(model, *batch())
        eva.step()
        written.append(torch.cat([each.flatten() for each in directions(eva)]))
    assert torch.cosine_similarity(*written, dim=0) < 0.99
