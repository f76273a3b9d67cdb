"""The length of a step: one factor for all preconditioned layers, or one per layer.

Legend: P direction, G gradient, <P, G> their inner product summed over the preconditioned layers. Every function
returns a 0-d tensor, so that the host never waits, and 1 where a gradient of zero would divide by zero.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from evabench.settings.choices import Clip


class Lengths(NamedTuple):
    """What a clip looks at, as 0-d tensors summed over the preconditioned layers."""

    inner: Tensor  # <P, G>
    step_inner: Tensor  # lr^2 <P, G>, each layer with the learning rate of its group
    gradient_square: Tensor  # |G|^2
    direction_square: Tensor  # |P|^2


def direction_scale(clip: Clip, lengths: Lengths, kl_clip: float) -> Tensor | None:
    """Return the factor of all directions under `clip`, or None where they stay as they are."""
    match clip:
        case "kl_clip":
            return kl_clip_scale(lengths.step_inner, kl_clip)
        case "kl_normalization":
            return kl_normalization_scale(lengths.inner)
        case "rescale":
            return rescale_scale(lengths.gradient_square, lengths.direction_square)
        case "none":
            return None


def kl_clip_scale(step_inner: Tensor, kl_clip: float) -> Tensor:
    """Return min(1, sqrt(kl_clip / (lr^2 <P, G>))): it bounds the predicted KL divergence of a step.

    Source: Eva as published at ICLR 2023. Where it is active the step does not depend on lr.
    """
    return (kl_clip / step_inner).sqrt().clamp(max=1.0)  # <P, G> = 0 gives inf, hence 1


def kl_normalization_scale(inner: Tensor) -> Tensor:
    """Return 1 / sqrt(<P, G>): every step has the same predicted KL divergence, times lr^2.

    Source: arXiv:2308.02123.
    """
    return torch.where(inner > 0, inner.rsqrt(), 1.0)


def rescale_scale(gradient_square: Tensor, direction_square: Tensor) -> Tensor:
    """Return |G| / |P|: the direction gets the length of the gradient.

    Source: the authors' code at `kl_clip = 0`; Shampoo's grafting onto SGD, if called layer by layer.
    """
    return torch.where(direction_square > 0, (gradient_square / direction_square).sqrt(), 1.0)


def inner_product(P: Tensor, G: Tensor) -> Tensor:
    """Return <P, G> as a 0-d tensor, without a product of their size."""
    return torch.dot(P.reshape(-1), G.reshape(-1))
