from dataclasses import dataclass

import torch
from torch import Tensor, tensor
from torch.testing import assert_close

from evabench.optimizers.step.scaling import (
    direction_divisor,
    inner_product,
    kl_clip_divisor,
    kl_normalization_divisor,
    rescale_divisor,
)


def test_an_active_kl_clip_makes_the_step_independent_of_the_learning_rate():
    inner = tensor(7.0)
    assert_close(0.1 / kl_clip_divisor(0.1**2 * inner / 1e-3), 0.3 / kl_clip_divisor(0.3**2 * inner / 1e-3))


def test_a_kl_clip_that_is_not_reached_changes_nothing():
    assert kl_clip_divisor(tensor(1e-5) / 1e-3) == 1


def test_kl_normalization_gives_every_direction_the_inner_product_one_with_its_gradient():
    P, G = torch.rand(3, 4), torch.rand(3, 4)
    assert_close(inner_product(P / kl_normalization_divisor(inner_product(P, G)), G).square(), inner_product(P, G))


def test_rescaling_gives_the_direction_the_length_of_the_gradient():
    P, G = torch.rand(3, 4), torch.rand(3, 4)
    assert_close((P / rescale_divisor(G.square().sum(), P.square().sum())).norm(), G.norm())


@dataclass
class NoLengths:
    """Those of gradients of zero."""

    zero: Tensor

    def inner(self):
        return self.zero

    def step_inner(self, unit):
        return self.zero / unit

    gradient_square = direction_square = inner


def test_a_gradient_of_zero_has_the_divisor_one_under_every_clip():
    for clip in ("kl_clip", "kl_normalization", "rescale"):
        assert direction_divisor(clip, NoLengths(tensor(0.0)), 1e-3) == 1


def test_a_learning_rate_of_zero_has_the_divisor_one():
    assert kl_clip_divisor(0.0**2 * tensor(7.0) / 1e-3) == 1
