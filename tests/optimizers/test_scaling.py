import torch
from torch import tensor
from torch.testing import assert_close

from evabench.optimizers.step.scaling import (
    Lengths,
    direction_scale,
    inner_product,
    kl_clip_scale,
    kl_normalization_scale,
    rescale_scale,
)


def test_an_active_kl_clip_makes_the_step_independent_of_the_learning_rate():
    inner = tensor(7.0)
    assert_close(0.1 * kl_clip_scale(0.1**2 * inner, 1e-3), 0.3 * kl_clip_scale(0.3**2 * inner, 1e-3))


def test_a_kl_clip_that_is_not_reached_changes_nothing():
    assert kl_clip_scale(tensor(1e-5), 1e-3) == 1


def test_kl_normalization_gives_every_direction_the_inner_product_one_with_its_gradient():
    P, G = torch.rand(3, 4), torch.rand(3, 4)
    assert_close(inner_product(P * kl_normalization_scale(inner_product(P, G)), G).square(), inner_product(P, G))


def test_rescaling_gives_the_direction_the_length_of_the_gradient():
    P, G = torch.rand(3, 4), torch.rand(3, 4)
    assert_close((P * rescale_scale(G.square().sum(), P.square().sum())).norm(), G.norm())


def test_a_gradient_of_zero_has_the_scale_one_under_every_clip():
    zero = tensor(0.0)
    for clip in ("kl_clip", "kl_normalization", "rescale"):
        assert direction_scale(clip, Lengths(zero, zero, zero, zero), 1e-3) == 1


def test_a_learning_rate_of_zero_has_the_scale_one():
    assert kl_clip_scale(0.0**2 * tensor(7.0), 1e-3) == 1
