import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from evabench.optimizers.eva.projected_lengths import Projected, ProjectedLengths
from evabench.optimizers.eva.rank_one import (
    project_both_sides_,
    project_input_side_,
    solve_both_sides,
    solve_input_side,
)
from tests import dense

sizes = st.integers(1, 6)
dampings = st.floats(1e-3, 1e2)


def draw(d_out, d_in, seed):
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in ((d_out, d_in), (d_in,), (d_out,))
    ]


@given(sizes, sizes, dampings, st.integers(0, 9))
def test_solve_both_sides_equals_the_dense_solve(d_out, d_in, damping, seed):
    G, a, b = draw(d_out, d_in, seed)
    curvature = torch.kron(torch.outer(b, b), torch.outer(a, a))
    assert_close(solve_both_sides(G, a, b, damping), dense.solve(curvature, G, damping), rtol=1e-7, atol=1e-9)


@given(sizes, sizes, dampings, st.integers(0, 9))
def test_the_input_side_equals_the_dense_solve_times_the_damping(d_out, d_in, damping, seed):
    G, a, _ = draw(d_out, d_in, seed)
    curvature = torch.kron(torch.eye(d_out, dtype=torch.float64), torch.outer(a, a))
    expected = damping * dense.solve(curvature, G, damping)
    assert_close(solve_input_side(G, a, damping), expected, rtol=1e-7, atol=1e-9)


def project_(G, g, a, b, damping, side):
    return project_both_sides_(G, g, a, b, damping) if side == "both" else project_input_side_(G, g, a, damping)


each_side = pytest.mark.parametrize("side", ["both", "input"])


@each_side
@given(sizes, sizes, dampings, st.integers(0, 9))
def test_a_bias_taken_apart_equals_a_last_column(side, d_out, d_in, damping, seed):
    whole, a, b = draw(d_out, d_in + 1, seed)
    a[-1] = 1
    G, g = whole[:, :-1].clone(), whole[:, -1].clone()
    apart = project_(G, g, a[:-1], b, damping, side)
    together = project_(whole, None, a, b, damping, side)
    assert_close(torch.cat((G, g[:, None]), dim=1), whole)
    assert_close(tuple(apart), tuple(together))
    assert_close(apart.D_square, whole.square().sum())


@each_side
@given(sizes, sizes, st.integers(1, 4), st.booleans(), st.integers(0, 9))
def test_a_stack_of_matrices_equals_one_after_the_other(side, d_out, d_in, groups, with_bias, seed):
    parts = [draw(d_out, d_in, seed + 10 * group) for group in range(groups)]
    biases = [torch.randn(d_out, dtype=torch.float64) for _ in parts]
    G, a, b = (torch.stack(each) for each in zip(*parts, strict=True))
    g = torch.cat(biases) if with_bias else None
    stacked = project_(G, g, a, b, 0.1, side)
    alone = []
    for index, ((part, row, column), bias) in enumerate(zip(parts, biases, strict=True)):
        alone.append(project_(part, bias if with_bias else None, row, column, 0.1, side))
        assert_close(G[index], part)
    assert_close(tuple(stacked), tuple(map(sum, zip(*alone, strict=True))))
    if with_bias:
        assert_close(g, torch.cat(biases))


@each_side
@given(sizes, sizes, dampings, st.integers(0, 9))
def test_the_lengths_that_a_clip_needs_follow_from_the_projected_gradient(side, d_out, d_in, damping, seed):
    G, a, b = draw(d_out, d_in, seed)
    D = G.clone()
    D_square, c_square, curved = (each.view(1) for each in project_(D, None, a, b, damping, side))
    projected = Projected({"damping": damping, "lr": 0.3}, [], D_square, c_square, lambda: curved)
    lengths = ProjectedLengths([projected], divides=True)
    P = D / damping
    expected = ((P * G).sum(), 0.09 * (P * G).sum(), G.square().sum(), P.square().sum())
    found = (lengths.inner(), lengths.step_inner(0.5) / 2, lengths.gradient_square(), lengths.direction_square())
    assert_close(found, expected, rtol=1e-7, atol=1e-9)


def test_the_solutions_leave_their_inputs_alone():
    G, a, b = draw(3, 4, 0)
    before = [value.clone() for value in (G, a, b)]
    solve_both_sides(G, a, b, 0.03)
    solve_input_side(G, a, 0.03)
    assert_close([G, a, b], before, rtol=0, atol=0)


def test_a_gradient_along_the_curvature_shrinks_and_one_across_it_only_meets_the_damping():
    _, a, b = draw(3, 4, 1)
    along = torch.outer(b, a)
    curvature = a.dot(a) * b.dot(b)
    assert_close(solve_both_sides(along, a, b, 0.03), along / (0.03 + curvature))
    across = torch.outer(torch.linalg.cross(b, torch.ones_like(b)), a)
    assert_close(solve_both_sides(across, a, b, 0.03), across / 0.03)
