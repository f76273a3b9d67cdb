"""Means along axes against the dense solve, for weights of two to four axes."""

from functools import reduce

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from evabench.optimizers.eva.axis_means import gradient_length, project_axes_
from tests import dense

shapes = st.lists(st.integers(1, 4), min_size=2, max_size=4).map(tuple)
dampings = st.floats(1e-3, 10.0)


def random(shape, seed):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def means_of(G):
    return [G.mean([other for other in range(G.dim()) if other != axis]) for axis in range(G.dim())]


@given(shapes, dampings, st.sampled_from([1.0, 0.9]), st.integers(0, 9))
def test_the_projection_equals_damping_times_the_dense_solve(shape, damping, beta2, seed):
    G, old = random(shape, seed), random((sum(shape),), seed + 10)
    weight = 1 if beta2 == 1 else 1 - beta2
    v = [beta2 * kept + weight * new for kept, new in zip(old.split(list(shape)), means_of(G), strict=True)]
    curvature = reduce(torch.kron, [torch.outer(each, each) for each in v])
    P = G.clone()
    projection = project_axes_(P, old, damping=damping, beta2=beta2)
    assert_close(P, damping * dense.solve(curvature, G, damping))
    assert_close(projection.means, torch.cat(v))


@given(shapes, dampings, st.integers(0, 9))
def test_the_length_of_the_gradient_follows_from_that_of_its_projection(shape, damping, seed):
    G = random(shape, seed)
    P = G.clone()
    projection = project_axes_(P, random((sum(shape),), seed + 10), damping=damping, beta2=1.0)
    assert_close(gradient_length(P.norm(), projection, damping), G.norm())


def test_the_length_survives_a_gradient_that_the_curvature_takes_out_almost_wholly():
    G = torch.outer(torch.rand(5) + 1, torch.rand(4) + 1)
    P = G.clone()
    projection = project_axes_(P, 1e3 * torch.cat(means_of(G)), damping=1e-3, beta2=1.0)
    assert P.norm() < 1e-5 * G.norm()
    assert_close(gradient_length(P.norm(), projection, 1e-3), G.norm())


def test_a_kernel_in_channels_last_gives_the_same():
    G = random((3, 2, 4, 5), 0)
    old = random((14,), 1)
    plain, last = G.clone(), G.clone(memory_format=torch.channels_last)
    expected = project_axes_(plain, old, damping=0.1, beta2=0.9)
    found = project_axes_(last, old, damping=0.1, beta2=0.9)
    assert_close(last, plain)
    assert_close(found.means, expected.means)
    assert last.is_contiguous(memory_format=torch.channels_last)


def test_the_means_given_are_not_modified():
    old = random((7,), 1)
    before = old.clone()
    project_axes_(random((3, 4), 0), old, damping=0.1, beta2=0.9)
    assert torch.equal(old, before)


@pytest.mark.parametrize("scale", [2.0**16, 0.5])
def test_a_scaled_loss_scales_the_projection_and_leaves_the_means(scale):
    G, old = random((3, 4), 0), random((7,), 1)
    plain, scaled = G.clone(), scale * G
    expected = project_axes_(plain, old, damping=0.1, beta2=1.0)
    found = project_axes_(scaled, old, damping=0.1, beta2=1.0, divisor=torch.tensor(scale))
    assert_close(scaled, scale * plain)
    assert_close(found.means, expected.means)
