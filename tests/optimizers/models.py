"""Small models, and their training, for the tests of the optimizers."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.testing import assert_close

from evabench.optimizers import FOOF, KFAC, MFAC, Eva, EvaF, EvaS, Shampoo

Optimizer = Eva | EvaF | EvaS | FOOF | KFAC | MFAC | Shampoo
Build = Callable[[nn.Module], Optimizer]
Snapshot = tuple[list[Tensor], dict[int, Any]]

# What every optimizer must do whatever its settings; `per_example` where it has the choice.
BUILDS: dict[str, Build] = {
    "eva": lambda model: Eva(model, output_gradient="per_example"),
    "eva-normalized": lambda model: Eva(model, lr=0.01, clip="kl_normalization", output_gradient="per_example"),
    "eva-rescaled": lambda model: Eva(model, clip="rescale", output_gradient="per_example", weight_decay=0.1),
    "eva-f": lambda model: EvaF(model, lr=0.01),
    "eva-f-clipped": lambda model: EvaF(model, lr=1.0, clip="kl_clip", weight_decay=0.01),
    "eva-s": lambda model: EvaS(model),
    "eva-s-averaged": lambda model: EvaS(model, damping=1e-9, beta2=0.9, weight_decay=0.01),
    "kfac": lambda model: KFAC(model, refresh_every=1),
    "kfac-relative": lambda model: KFAC(
        model, lr=3.0, damping=1.0, damping_scale="relative", clip="rescale", refresh_every=1
    ),
    "kfac-every-2": lambda model: KFAC(model, refresh_every=2, momentum=0.0),
    "mfac": lambda model: MFAC(model, lr=0.01, damping=0.1, num_gradients=2),
    "kfac-eigh": lambda model: KFAC(model, factorisation="eigh", refresh_every=4, statistics_every=2),
    "kfac-of-the-authors": lambda model: KFAC(
        model, factors_keep_damping=True, weight_sharing="expand", lr=0.05, refresh_every=1
    ),
    "foof": lambda model: FOOF(model, lr=0.05, refresh_every=1, factorisation="eigh"),
    "foof-cholesky": lambda model: FOOF(model, factorisation="cholesky", clip="rescale", refresh_every=3),
    "foof-top-k": lambda model: FOOF(
        model, factorisation="eigh", top_k=2, new_statistic_weight=0.5, weight_decay=0.01, refresh_every=2
    ),
    "shampoo": lambda model: Shampoo(model, refresh_every=1),
    "shampoo-averaged-every-2": lambda model: Shampoo(
        model, beta2=0.9, statistics_every=1, refresh_every=2, grafting="none", lr=1e-3
    ),
    "shampoo-blocks": lambda model: Shampoo(
        model, block_size=4, grafting="adagrad", root_order=2, statistics_every=1, refresh_every=3, lr=0.01
    ),
    "shampoo-newton": lambda model: Shampoo(
        model, root_method="newton", beta2=0.9, grafting="rmsprop", statistics_every=2, refresh_every=2, lr=0.01
    ),
}


def small_net(dtype: torch.dtype = torch.float64) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).to(dtype)


def batch(num_rows: int = 8, seed: int = 0, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(num_rows, 4, generator=generator, dtype=dtype)
    return x, torch.randn(num_rows, 3, generator=generator, dtype=dtype)


def backward(model: nn.Module, x: Tensor, y: Tensor) -> float:
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    return float(loss.detach())


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: range) -> None:
    for step in steps:
        optimizer.zero_grad()
        backward(model, *batch(seed=step, dtype=next(model.parameters()).dtype))
        optimizer.step()


def directions(optimizer: Optimizer) -> list[Tensor]:
    """Return the directions of the preconditioned layers, which a step leaves in `.grad`, with the bias as a column."""
    return [layer.gradient().clone() for layer in optimizer.layers]


def parameters(model: nn.Module) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in model.parameters()]


def low_rank_factor(d: int, rank: int, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return the mean outer product of `rank` random rows, [d, d]."""
    rows = torch.randn(rank, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return rows.T @ rows / rank


def snapshot(model: nn.Module, optimizer: torch.optim.Optimizer) -> Snapshot:
    """Return everything that a step may change."""
    return copy.deepcopy((parameters(model), optimizer.state_dict()["state"]))


def assert_unchanged(before: Snapshot, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    assert_close(snapshot(model, optimizer), before, rtol=0, atol=0, equal_nan=True)
