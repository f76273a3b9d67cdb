"""FOOF against the dense solve."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from evabench.optimizers import FOOF
from tests import dense
from tests.optimizers.models import backward, batch, directions, small_net, train


def dense_direction(G, a, damping, top_k=None):
    A = a.T @ a / len(a)
    if top_k is not None:
        w, Q = torch.linalg.eigh(A)
        A = Q[:, -top_k:] @ torch.diag(w[-top_k:]) @ Q[:, -top_k:].T
    return dense.solve(torch.kron(torch.eye(len(G), dtype=G.dtype), A), G, damping)


@settings(deadline=None)
@given(st.sampled_from(["cholesky", "eigh"]), st.sampled_from([None, 1, 3]), st.integers(1, 6), st.floats(1e-2, 10.0))
def test_the_directions_equal_the_dense_solve(factorisation, top_k, num_rows, damping):
    factorisation = factorisation if top_k is None else "eigh"
    model, (x, y) = small_net(), batch(num_rows)
    expected = [dense_direction(G, a, damping, top_k) for G, a, _ in dense.layer_pass(model, x, y)]
    foof = FOOF(model, damping=damping, clip="none", factorisation=factorisation, top_k=top_k)
    backward(model, x, y)
    foof.step()
    assert_close(directions(foof), expected)


@pytest.mark.parametrize("clip", ["kl_clip", "kl_normalization", "rescale"])
def test_a_clip_scales_all_layers_by_one_factor(clip):
    model, (x, y) = small_net(), batch()
    layers = dense.layer_pass(model, x, y)
    P = [dense_direction(G, a, 0.03) for G, a, _ in layers]
    inner = float(sum((p * G).sum() for p, (G, _, _) in zip(P, layers, strict=True)))
    lengths = [float(sum(value.square().sum() for value in values)) for values in ([G for G, _, _ in layers], P)]
    scale = {
        "kl_clip": min(1.0, (1e-4 / (0.1**2 * inner)) ** 0.5),
        "kl_normalization": inner**-0.5,
        "rescale": (lengths[0] / lengths[1]) ** 0.5,
    }[clip]
    foof = FOOF(model, lr=0.1, damping=0.03, clip=clip, kl_clip=1e-4)
    backward(model, x, y)
    foof.step()
    assert_close(directions(foof), [p * scale for p in P])


def test_the_factor_is_a_running_mean_with_the_weight_on_the_new_value():
    model = small_net()
    foof = FOOF(model, lr=1e-15, clip="none", new_statistic_weight=0.7, refresh_every=1)
    train(model, foof, range(2))
    first, second = (dense.with_ones(batch(seed=seed)[0]) for seed in (0, 1))
    expected = 0.3 * first.T @ first / 8 + 0.7 * second.T @ second / 8
    assert_close(foof.state[model[0].weight]["A"], expected)


def test_nothing_is_summed_in_the_backward_pass():
    model = nn.Sequential(nn.Linear(4, 3))
    foof = FOOF(model)
    model(torch.rand(2, 4)).sum().backward()
    assert [sums.output_gradients for sums in foof.capture.sums.values()] == [None]


def test_the_top_eigenvectors_are_all_that_is_kept_beside_the_factor():
    model = small_net()
    foof = FOOF(model, top_k=2, factorisation="eigh")
    train(model, foof, range(1))
    kept = {name: tuple(value.shape) for name, value in foof.state[model[0].weight].items()}
    assert kept == {"A": (5, 5), "A_vectors": (5, 2), "A_gains": (2,), "num_batches": (), "momentum_buffer": (5, 4)}


def test_top_k_without_eigenvectors_is_refused():
    with pytest.raises(ValueError, match='top_k = 2 needs factorisation = "eigh", got "cholesky"'):
        FOOF(small_net(), top_k=2, factorisation="cholesky")
