"""Grafting: the length of a step from one optimizer, layer by layer, for the direction of another.

Legend: G gradient; P direction; D the step of the optimizer whose length is taken; s sum or running average of G^2.
"""

from typing import Any

import torch
from torch import Tensor

from evabench.settings.choices import Grafting

ADAGRAD_EPSILON = 1e-10  # torch's, beside sqrt(s)


def step_length(
    grafting: Grafting, G: Tensor, G_length: Tensor, state: dict[str, Any], *, beta2: float, decay: Tensor | None
) -> Tensor | None:
    """Return |D|, 0-d, and update s; None where the direction keeps its own length.

        sgd: D = G      adagrad: D = G / (sqrt(s) + 1e-10), s the sum of G^2      rmsprop: s its running average

    s starts at 0 without a correction, as in torch. `decay` is beta2 as a 0-d tensor, 1 where the step is skipped.
    """
    if grafting == "none":
        return None
    if grafting == "sgd":
        return G_length
    s: Tensor = state.setdefault("grafting_squares", torch.zeros_like(G))
    if grafting == "rmsprop":
        assert decay is not None, "the settings refuse rmsprop with plain sums"
        s.mul_(decay).addcmul_(G, G, value=1 - beta2)
    else:
        s.addcmul_(G, G)
    D = s.sqrt().add_(ADAGRAD_EPSILON).reciprocal_().mul_(G)
    length: Tensor = torch.linalg.vector_norm(D)
    return length


def shrinkage(P_length: Tensor, D_length: Tensor) -> Tensor:
    """Return |P| / |D|, by which P is to be divided; 1 where one of them is zero."""
    return torch.where((P_length > 0) & (D_length > 0), P_length / D_length, 1.0)
