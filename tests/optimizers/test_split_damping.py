import pytest
import torch
from torch.testing import assert_close

from evabench.optimizers.kfac.split_damping import split_damping
from evabench.optimizers.outer_products import mean_eigenvalue
from tests.optimizers.models import low_rank_factor


@pytest.mark.parametrize("scale", ["absolute", "relative"])
def test_the_split_dampings_multiply_to_gamma_and_are_equal_shares_of_their_factors(scale):
    A, B = low_rank_factor(4, 9, 0), 1e-6 * low_rank_factor(3, 9, 1)
    damping_A, damping_B = split_damping(A, B, 0.03, scale)
    unit = mean_eigenvalue(A) * mean_eigenvalue(B) if scale == "relative" else 1.0
    assert_close(damping_A * damping_B, torch.as_tensor(0.03 * unit, dtype=torch.float64))
    assert_close(damping_A / mean_eigenvalue(A), damping_B / mean_eigenvalue(B))


def test_factors_of_groups_have_a_damping_each():
    A = torch.stack([low_rank_factor(4, 9, 0), 100 * low_rank_factor(4, 9, 1)])
    B = torch.stack([low_rank_factor(3, 9, 2), low_rank_factor(3, 9, 3)])
    each = [split_damping(a, b, 0.03, "absolute") for a, b in zip(A, B, strict=True)]
    assert_close(split_damping(A, B, 0.03, "absolute"), tuple(map(torch.stack, zip(*each, strict=True))))


def test_factors_of_very_different_size_have_finite_dampings_in_float32():
    A, B = 1e20 * torch.eye(3), 1e-28 * torch.eye(3)
    assert all(damping.isfinite() and damping > 0 for damping in split_damping(A, B, 0.03, "absolute"))
