"""The length of a step: one divisor for all preconditioned layers, or one per layer.

Legend: P direction, G gradient, <P, G> their inner product summed over the preconditioned layers. Every function
returns a 0-d tensor, so that the host never waits, and 1 where a gradient of zero would divide by zero.
"""

from typing import Protocol

import torch
from torch import Tensor

from evabench.settings.choices import Clip


class Lengths(Protocol):
    """What clips look at, as 0-d tensors over the preconditioned layers; each is computed when a clip asks for it."""

    def inner(self) -> Tensor:
        """Return <P, G>."""

    def step_inner(self, unit: float) -> Tensor:
        """Return lr^2 <P, G> / unit, each layer with the learning rate of its group."""

    def gradient_square(self) -> Tensor:
        """Return |G|^2."""

    def direction_square(self) -> Tensor:
        """Return |P|^2."""


def direction_divisor(clip: Clip, lengths: Lengths, kl_clip: float) -> Tensor | None:
    """Return what all directions are divided by under `clip`, or None where they stay as they are."""
    match clip:
        case "kl_clip":
            return kl_clip_divisor(lengths.step_inner(kl_clip))
        case "kl_normalization":
            return kl_normalization_divisor(lengths.inner())
        case "rescale":
            return rescale_divisor(lengths.gradient_square(), lengths.direction_square())
        case "none":
            return None


def kl_clip_divisor(excess: Tensor) -> Tensor:
    """Return max(1, sqrt(excess)), excess = lr^2 <P, G> / kl_clip: it bounds the predicted KL divergence of a step.

    Source: Eva as published at ICLR 2023. Where it is active the step does not depend on lr.
    """
    return excess.sqrt().clamp(min=1.0)


def kl_normalization_divisor(inner: Tensor) -> Tensor:
    """Return sqrt(<P, G>): every step has the same predicted KL divergence, times lr^2.

    Source: arXiv:2308.02123.
    """
    return torch.where(inner > 0, inner.sqrt(), 1.0)


def rescale_divisor(gradient_square: Tensor, direction_square: Tensor) -> Tensor:
    """Return |P| / |G|: the direction gets the length of the gradient.

    Source: the authors' code at `kl_clip = 0`; Shampoo's grafting onto SGD, if called layer by layer.
    """
    return torch.where(direction_square > 0, (direction_square / gradient_square).sqrt(), 1.0)


def inner_product(P: Tensor, G: Tensor) -> Tensor:
    """Return <P, G> as a 0-d tensor, without a product of their size."""
    return torch.dot(P.reshape(-1), G.reshape(-1))
