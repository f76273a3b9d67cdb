import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from evabench.optimizers.rank_one import project, solve_both_sides, subtract_projection_
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
def test_a_bias_taken_apart_equals_a_last_column(d_out, d_in, damping, seed):
    whole, a, b = draw(d_out, d_in + 1, seed)
    a[-1] = 1
    G, g = whole[:, :-1].clone(), whole[:, -1].clone()
    projection = project(G, g, a[:-1], b, damping)
    subtract_projection_(G, g, a[:-1], b, projection.c)
    assert_close(torch.cat((G, g[:, None]), dim=1) / damping, solve_both_sides(whole, a, b, damping))


def test_the_mathematics_leaves_its_inputs_alone():
    G, a, b = draw(3, 4, 0)
    before = [value.clone() for value in (G, a, b)]
    solve_both_sides(G, a, b, 0.03)
    project(G, G[:, 0].clone(), a, b, 0.03)
    assert_close([G, a, b], before, rtol=0, atol=0)


def test_a_gradient_along_the_curvature_shrinks_and_one_across_it_only_meets_the_damping():
    _, a, b = draw(3, 4, 1)
    along = torch.outer(b, a)
    curvature = a.dot(a) * b.dot(b)
    assert_close(solve_both_sides(along, a, b, 0.03), along / (0.03 + curvature))
    across = torch.outer(torch.linalg.cross(b, torch.ones_like(b)), a)
    assert_close(solve_both_sides(across, a, b, 0.03), across / 0.03)
