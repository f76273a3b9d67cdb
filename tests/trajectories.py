"""Trajectories made with dense matrices in float64, in the form of those of the authors' code (see `oracles`).

Nothing of evabench takes part: weights are plain tensors, gradients come from autograd without hooks, every direction
is the solution with the whole curvature matrix. So the replay can be tested where no file is at hand, and a file of the
authors that is off can be told from a replay that is.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from tests import dense

NET = (
    {"type": "linear", "in": 4, "out": 3, "bias": True},
    {"type": "tanh"},
    {"type": "linear", "in": 3, "out": 3, "bias": False},
    {"type": "tanh"},
    {"type": "linear", "in": 3, "out": 2, "bias": True},
)
LEARNING_RATES = (0.02, 0.06, 0.1, 0.05)
NUM_SAMPLES, NUM_FOR_STATISTICS = 6, 4
METHOD = {"lr": 0.1, "momentum": 0.9, "weight_decay": 5e-4, "damping": 0.03, "statistics_batch": NUM_FOR_STATISTICS}

Directions = Callable[[Sequence[Tensor], Sequence[Tensor], Sequence[Tensor]], list[Tensor]]


def eva(clip: str, *, loss: str = "mse", positions: int | None = None) -> dict[str, Any]:
    """Return Eva's trajectory under a clip: the averages of both vectors, the solution, the clip, the momentum."""
    method = METHOD | {"optimizer": "eva", "clip": clip, "kl_clip": 1e-3, "new_statistic_weight": 0.95}
    averages: list[tuple[Tensor, Tensor]] = []

    def directions(G: Sequence[Tensor], a: Sequence[Tensor], g: Sequence[Tensor]) -> list[Tensor]:
        new = [(rows.mean(0), grads.mean(0)) for rows, grads in zip(a, g, strict=True)]
        old = averages or new
        averages[:] = (
            [(0.05 * p + 0.95 * q, 0.05 * r + 0.95 * s) for (p, r), (q, s) in zip(old, new, strict=True)]
            if averages
            else new
        )
        length = METHOD["damping"] if clip == "kl_normalization" else 1.0
        return [
            length * dense.solve(torch.kron(torch.outer(b, b), torch.outer(a, a)), layer_G, METHOD["damping"])
            for layer_G, (a, b) in zip(G, averages, strict=True)
        ]

    return _trajectory(f"eva_{clip}_{loss}", method, directions, LEARNING_RATES, loss, positions)


def kfac_first_step(*, loss: str = "mse") -> dict[str, Any]:
    """Return one step of K-FAC with the damping split between the factors by their traces."""
    names = {"optimizer": "kfac", "clip": "kl_clip", "kl_clip": 1e-3, "new_statistic_weight": 0.95, "interval": 1}

    def directions(G: Sequence[Tensor], a: Sequence[Tensor], g: Sequence[Tensor]) -> list[Tensor]:
        return [_kronecker_direction(*layer) for layer in zip(G, a, g, strict=True)]

    return _trajectory(f"kfac_first_step_{loss}", METHOD | names, directions, LEARNING_RATES[:1], loss, None)


def _kronecker_direction(G: Tensor, a: Tensor, g: Tensor) -> Tensor:
    A, B = a.T @ a / len(a), g.T @ g / len(g)
    root, pi = METHOD["damping"] ** 0.5, ((A.trace() / len(A)) / (B.trace() / len(B))) ** 0.5
    damped_A = A + root * pi * torch.eye(len(A), dtype=A.dtype)
    damped_B = B + root / pi * torch.eye(len(B), dtype=B.dtype)
    return dense.solve(torch.kron(damped_B, damped_A), G, 0.0)


def _trajectory(
    name: str,
    method: dict[str, Any],
    directions: Directions,
    rates: Sequence[float],
    loss: str,
    positions: int | None,
) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    linear = [layer for layer in NET if layer["type"] == "linear"]
    W = [0.5 * torch.randn(o["out"], o["in"] + o["bias"], generator=generator, dtype=torch.float64) for o in linear]
    W = [_rounded(matrix) for matrix in W]
    velocity = [torch.zeros_like(matrix) for matrix in W]
    made: dict[str, Any] = {
        "name": name,
        "source": "dense matrices in float64",
        "method": method,
        "model": list(NET),
        "loss": loss,
        "learning_rates": list(rates),
        "initial_parameters": _parameters(W),
    }
    lists = ("batches", "losses", "gradients", "directions", "parameters_after_step")
    made |= {key: [] for key in lists}
    for lr in rates:
        x, y = _batch(generator, loss, positions)
        value, G, a, g = _pass(W, x, y, loss)
        P = directions(G, a, g)
        P = [_clip_scale(method, P, G, lr) * matrix for matrix in P]
        for matrix, momentum, direction in zip(W, velocity, P, strict=True):
            momentum.mul_(method["momentum"]).add_(direction + method["weight_decay"] * matrix)
            matrix.sub_(lr * momentum)
            matrix.copy_(_rounded(matrix))  # the file goes on from what it says
        step = ({"x": x.tolist(), "y": y.tolist()}, value, _parameters(G), _parameters(P), _parameters(W))
        for key, entry in zip(lists, step, strict=True):
            made[key].append(entry)
    return made


def _batch(generator: torch.Generator, loss: str, positions: int | None) -> tuple[Tensor, Tensor]:
    shape = (NUM_SAMPLES,) if positions is None else (NUM_SAMPLES, positions)
    x = _rounded(torch.randn(*shape, 4, generator=generator, dtype=torch.float64))
    if loss == "cross_entropy":
        return x, torch.randint(2, shape, generator=generator)
    return x, _rounded(torch.randn(*shape, 2, generator=generator, dtype=torch.float64))


def _pass(
    W: Sequence[Tensor], x: Tensor, y: Tensor, loss: str
) -> tuple[float, list[Tensor], list[Tensor], list[Tensor]]:
    """Return the loss; the gradients; input rows (with ones) and rows of output gradients of the first samples."""
    inputs, outputs, value = [], [], x
    for index, (matrix, layer) in enumerate(zip(W, NET[::2], strict=True)):
        rows = value.detach().flatten(0, -2)
        inputs.append(dense.with_ones(rows) if layer["bias"] else rows)
        weight, bias = (matrix[:, :-1], matrix[:, -1]) if layer["bias"] else (matrix, 0.0)
        value = (value @ weight.T + bias).requires_grad_()
        outputs.append(value)
        value = value.tanh() if index < len(W) - 1 else value
    total = nn.functional.cross_entropy(value, y) if loss == "cross_entropy" else nn.functional.mse_loss(value, y)
    grads = [grad.flatten(0, -2) for grad in torch.autograd.grad(total, outputs)]
    first = NUM_FOR_STATISTICS * (len(grads[0]) // NUM_SAMPLES)
    G = [grad.T @ rows for grad, rows in zip(grads, inputs, strict=True)]
    return float(total.detach()), G, [rows[:first] for rows in inputs], [grad[:first] for grad in grads]


def _clip_scale(method: dict[str, Any], P: Sequence[Tensor], G: Sequence[Tensor], lr: float) -> float:
    inner = float(sum((p * layer_G).sum() for p, layer_G in zip(P, G, strict=True)))
    match method["clip"]:
        case "kl_clip":
            return min(1.0, (method["kl_clip"] / (lr**2 * inner)) ** 0.5)
        case "kl_normalization":
            return float(inner**-0.5)
        case "rescale":
            return float((sum(layer_G.square().sum() for layer_G in G) / sum(p.square().sum() for p in P)) ** 0.5)
        case _:
            return 1.0


def _parameters(matrices: Sequence[Tensor]) -> list[Any]:
    """Return weights and biases apart, as nested lists."""
    values: list[Any] = []
    for matrix, layer in zip(matrices, NET[::2], strict=True):
        values += [matrix[:, :-1].tolist(), matrix[:, -1].tolist()] if layer["bias"] else [matrix.tolist()]
    return values


def _rounded(values: Tensor) -> Tensor:
    return torch.round(values, decimals=12)
