"""K-FAC against the dense Kronecker solve."""

import pytest
import torch
from torch.testing import assert_close

from evabench.optimizers import KFAC
from tests import dense
from tests.optimizers.models import backward, batch, directions, small_net, train


def dense_direction(G, a, g, damping, scale):
    A, B = a.T @ a / len(a), g.T @ g / len(g)
    mean_A, mean_B = A.trace() / len(A), B.trace() / len(B)
    gamma = damping * (mean_A * mean_B if scale == "relative" else 1)
    pi = (mean_A / mean_B) ** 0.5
    damped_A = A + gamma**0.5 * pi * torch.eye(len(A))
    damped_B = B + gamma**0.5 / pi * torch.eye(len(B))
    return dense.solve(torch.kron(damped_B, damped_A), G, 0.0)


@pytest.mark.parametrize("scale", ["absolute", "relative"])
@pytest.mark.parametrize("output_gradient", ["batch_mean", "per_example"])
def test_the_directions_equal_the_dense_solve(scale, output_gradient):
    model, (x, y) = small_net(), batch()
    unit = 1 if output_gradient == "per_example" else 1 / 8
    expected = [dense_direction(G, a, unit * g, 0.03, scale) for G, a, g in dense.layer_pass(model, x, y)]
    kfac = KFAC(model, damping=0.03, damping_scale=scale, clip="none", output_gradient=output_gradient)
    backward(model, x, y)
    kfac.step()
    assert_close(directions(kfac), expected)


@pytest.mark.parametrize("clip", ["kl_clip", "kl_normalization", "rescale"])
def test_a_clip_scales_all_layers_by_one_factor(clip):
    model, (x, y) = small_net(), batch()
    layers = dense.layer_pass(model, x, y)
    kfac = KFAC(model, lr=0.1, damping=0.03, clip=clip, kl_clip=1e-4)
    P = [dense_direction(G, a, g, 0.03, "absolute") for G, a, g in layers]
    inner = float(sum((p * G).sum() for p, (G, _, _) in zip(P, layers, strict=True)))
    lengths = [float(sum(value.square().sum() for value in values)) for values in ([G for G, _, _ in layers], P)]
    scale = {
        "kl_clip": min(1.0, (1e-4 / (0.1**2 * inner)) ** 0.5),
        "kl_normalization": inner**-0.5,
        "rescale": (lengths[0] / lengths[1]) ** 0.5,
    }[clip]
    backward(model, x, y)
    kfac.step()
    assert_close(directions(kfac), [p * scale for p in P])


def test_positions_of_a_sequence_count_as_examples():
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(6, 2, d, generator=generator, dtype=torch.float64) for d in (4, 3))
    model = small_net()
    expected = [dense_direction(G, a, g, 0.03, "absolute") for G, a, g in dense.layer_pass(model, x, y)]
    kfac = KFAC(model, damping=0.03, clip="none", weight_sharing="expand")
    backward(model, x, y)
    kfac.step()
    assert_close(directions(kfac), expected)


def test_between_refreshes_factors_and_inverses_rest_and_nothing_is_captured():
    model = small_net()
    kfac = KFAC(model, refresh_every=3)
    train(model, kfac, range(1))
    state = kfac.state[model[0].weight]
    before = {key: state[key].clone() for key in ("A", "B", "A_inverse", "B_inverse")}
    for step in (1, 2):
        kfac.zero_grad()
        backward(model, *batch(seed=step))
        assert not kfac.capture.sums
        kfac.step()
        assert_close({key: state[key] for key in before}, before, rtol=0, atol=0)
    train(model, kfac, range(3, 4))
    assert not torch.equal(state["A_inverse"], before["A_inverse"])


def test_a_restored_optimizer_refreshes_at_the_same_steps():
    model = small_net()
    kfac = KFAC(model, refresh_every=3)
    train(model, kfac, range(2))
    other = KFAC(model, refresh_every=3)
    other.load_state_dict(kfac.state_dict())
    assert not other.capture.enabled
    train(model, other, range(2, 3))
    assert other.capture.enabled
