"""Eva against the dense solve: the whole step, with hooks, averages and clips."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from evabench.optimizers import KFAC, Eva
from tests import dense
from tests.optimizers.conv_net import ConvNet, conv_batch, train_conv
from tests.optimizers.models import backward, batch, directions, small_net

DAMPING = 0.03


def vectors(model, x, y, output_gradient):
    num_rows = x.shape[0]
    for G, a, g in dense.layer_pass(model, x, y):
        b = g.mean(0) if output_gradient == "per_example" else g.mean(0) / num_rows
        yield G, a.mean(0), b


@pytest.mark.parametrize("output_gradient", ["batch_mean", "per_example"])
@pytest.mark.parametrize("clip", ["none", "kl_clip", "kl_normalization", "rescale"])
def test_the_directions_equal_the_dense_solve_under_every_clip(clip, output_gradient):
    model, (x, y) = small_net(), batch()
    layers = list(vectors(model, x, y, output_gradient))
    eva = Eva(model, lr=0.1, damping=DAMPING, clip=clip, kl_clip=1e-4, output_gradient=output_gradient)
    scale = DAMPING if clip == "kl_normalization" else 1
    P = [scale * dense.solve(torch.kron(torch.outer(b, b), torch.outer(a, a)), G, DAMPING) for G, a, b in layers]
    inner = sum((p * G).sum() for p, (G, _, _) in zip(P, layers, strict=True))
    expected_scale = {
        "none": 1.0,
        "kl_clip": min(1.0, float((1e-4 / (0.1**2 * inner)) ** 0.5)),
        "kl_normalization": float(inner**-0.5),
        "rescale": float((sum(G.square().sum() for G, _, _ in layers) / sum(p.square().sum() for p in P)) ** 0.5),
    }[clip]
    backward(model, x, y)
    eva.step()
    assert_close(directions(eva), [p * expected_scale for p in P])


def test_the_vectors_are_averaged_with_the_weight_on_the_new_one_and_start_from_the_first():
    model = small_net()
    eva = Eva(model, lr=1e-12, clip="none", new_statistic_weight=0.25, output_gradient="per_example")
    expected = None
    for step in range(3):
        x, y = batch(seed=step)
        (_, a, b), *_ = vectors(model, x, y, "per_example")
        expected = (a, b) if expected is None else (0.75 * expected[0] + 0.25 * a, 0.75 * expected[1] + 0.25 * b)
        eva.zero_grad()
        backward(model, x, y)
        eva.step()
    state = eva.state[model[0].weight]
    assert_close((state["a"], state["b"]), (expected[0][:-1], expected[1]))


def test_statistics_of_the_first_samples_leave_the_gradient_whole():
    model, (x, y) = small_net(), batch()
    expected = []
    for G, a, g in dense.layer_pass(model, x, y):
        a, b = a[:3].mean(0), g[:3].mean(0) / 8
        expected.append(dense.solve(torch.kron(torch.outer(b, b), torch.outer(a, a)), G, DAMPING))
    eva = Eva(model, clip="none", statistics_batch=3, output_gradient="batch_mean")
    backward(model, x, y)
    eva.step()
    assert_close(directions(eva), expected)


def test_an_active_kl_clip_makes_the_step_independent_of_the_learning_rate():
    moved = []
    for lr in (1.0, 3.0):
        model, (x, y) = small_net(), batch()
        eva = Eva(model, lr=lr, kl_clip=1e-6)
        before = model[0].weight.detach().clone()
        backward(model, x, y)
        eva.step()
        moved.append(model[0].weight.detach() - before)
    assert_close(moved[0], moved[1])


def test_eva_keeps_nothing_of_the_size_of_a_weight_but_the_momentum():
    model, (x, y) = small_net(), batch()
    eva = Eva(model)
    backward(model, x, y)
    eva.step()
    for layer in eva.layers:
        curvature = {key: value for key, value in eva.state[layer.weight].items() if key != "momentum_buffer"}
        assert sum(value.numel() for value in curvature.values()) == sum(layer.weight.shape)
    assert not eva.capture.sums


def both_curvatures(model, both_passes):
    """Return, layer by layer, Eva's a a^T and b b^T and K-FAC's A and B of one batch; each of every group."""
    eva = Eva(model, clip="none", output_gradient="per_example")
    kfac = KFAC(model, clip="none")
    both_passes()
    gradients = {parameter: parameter.grad.clone() for parameter in model.parameters()}
    eva.step()
    for parameter, gradient in gradients.items():
        parameter.grad.copy_(gradient)
    kfac.step()
    for layer in eva.layers:
        state, factors = eva.state[layer.weight], kfac.state[layer.weight]
        a, b = (state[name].view(layer.num_groups, -1) for name in "ab")
        a = a if layer.bias is None else dense.with_ones(a)
        outer = [torch.einsum("gi,gj->gij", vector, vector) for vector in (a, b)]
        yield outer, [factors[name].view(outer[place].shape) for place, name in enumerate("AB")]


@pytest.mark.parametrize("net", ["convolutions", "sequences"])
def test_of_one_example_per_example_is_the_curvature_of_kfac(net):
    model = ConvNet().double() if net == "convolutions" else small_net()

    def both_passes():
        if net == "convolutions":
            images, tokens, y = (each[:1] for each in conv_batch())
            nn.functional.cross_entropy(model(images, tokens), y).backward()
        else:
            x, y = (torch.randn(1, 5, d, dtype=torch.float64) for d in (4, 3))
            backward(model, x, y)

    for eva, kfac in both_curvatures(model, both_passes):
        assert_close(eva, kfac)


def test_per_example_mean_is_per_example_over_the_positions_of_an_image():
    vectors = []
    for output_gradient in ("per_example", "per_example_mean"):
        model = ConvNet().double()
        eva = Eva(model, statistics_batch=3, output_gradient=output_gradient)
        train_conv(model, eva, 1)
        vectors.append({layer.name: eva.state[layer.weight]["b"] for layer in eva.layers})
    num_positions = {"first": 5, "second": 7 * 6, "third": 3 * 2, "head": 1}
    assert_close(vectors[0], {name: b * num_positions[name] for name, b in vectors[1].items()})
