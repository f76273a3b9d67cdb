"""The matrices that the optimizers avoid, in full: slow, obvious, and right. The oracles of tests/optimizers.

Vectors of matrices are row by row, so that kron(B, A) vec(G) = vec(B G A^T).
"""

import torch
from torch import Tensor, nn


def solve(curvature: Tensor, G: Tensor, damping: float) -> Tensor:
    """Return (curvature + damping * I)^-1 vec(G), in the shape of G."""
    damped = curvature + damping * torch.eye(G.numel(), dtype=G.dtype)
    return torch.linalg.solve(damped, G.reshape(-1)).reshape(G.shape)


def power(F: Tensor, exponent: float, epsilon: float) -> Tensor:
    """Return F^exponent of a symmetric matrix whose eigenvalues are raised to `epsilon` times the largest."""
    w, Q = torch.linalg.eigh(F)
    return Q @ torch.diag(w.clamp(min=epsilon * float(w.max())) ** exponent) @ Q.T


def with_ones(rows: Tensor) -> Tensor:
    """Return [rows, d] with a column of ones: the input of a bias."""
    return torch.cat((rows, torch.ones(rows.shape[0], 1, dtype=rows.dtype)), dim=1)


def layer_pass(model: nn.Sequential, x: Tensor, y: Tensor) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Return (G, inputs with ones, per-example output gradients) of every Linear layer with a bias, without hooks.

    The loss is the mean squared error. Rows of the output gradients are those of each example's own loss.
    """
    inputs, outputs, layers = [], [], []
    value = x
    for module in model:
        if isinstance(module, nn.Linear):
            inputs.append(value.detach())
            value = module(value)
            outputs.append(value)
            layers.append(module)
        else:
            value = module(value)
    loss = nn.functional.mse_loss(value, y)
    gradients = torch.autograd.grad(loss, outputs)
    num_rows = x[..., 0].numel()
    flat = [
        (with_ones(a.reshape(num_rows, -1)), g.reshape(num_rows, -1)) for a, g in zip(inputs, gradients, strict=True)
    ]
    return [(g.T @ a, a, num_rows * g) for a, g in flat]
