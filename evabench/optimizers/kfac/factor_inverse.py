"""The damped inverse of a factor in the state of a layer, in the form that its steps read cheapest.

Legend: F a factor by its name, "A" or "B"; "F_cholesky" its damped Cholesky factor, to solve with; "F_inverse" its
damped inverse, to multiply by.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from evabench.optimizers.kfac.damped_solve import (
    damped_cholesky,
    damped_eigen,
    inverse_from,
    prefers_solves,
    solve_right,
)
from evabench.optimizers.kfac.factors import NUM_BATCHES
from evabench.optimizers.step.troubles import Trouble
from evabench.settings.choices import Factorisation

Name = Literal["A", "B"]
ALIGNED = 16  # numbers in single precision: one line of a cache
# What a reload must not cast to the type of the parameter.
KEPT = ("A", "B", "A_cholesky", "B_cholesky", "A_inverse", "B_inverse", "A_leak", "B_leak", NUM_BATCHES)
TOP = ("A_vectors", "A_gains")  # what FOOF keeps of the largest eigenvalues alone


def invert_(
    state: dict[str, Any], name: Name, damping: Tensor, factorisation: Factorisation, *, other: int, refresh_every: int
) -> Trouble:
    """Renew what `multiply_right` reads; `other` is the number of rows that it will multiply, step by step."""
    F: Tensor = state[name]
    if factorisation == "eigh":
        eigen = damped_eigen(F)
        state[f"{name}_inverse"] = inverse_from(eigen, damping)
        return Trouble(eigen.num_failed_attempts, int(eigen.failed))
    L, escalated = damped_cholesky(F, damping, state.get(f"{name}_cholesky"))
    if prefers_solves(F.shape[-1], other, refresh_every):
        state[f"{name}_cholesky"] = L
    else:
        state[f"{name}_inverse"] = torch.cholesky_inverse(L)
    return Trouble(escalated.sum(), 0)


def inverse_names(name: Name) -> tuple[str, ...]:
    """Return the names of which a refresh leaves one: which one depends on what the steps read cheapest."""
    return f"{name}_cholesky", f"{name}_inverse"


def levels(
    factors: Sequence[tuple[str, ...]], inverses: Sequence[tuple[str, ...]], settings: Mapping[str, Any]
) -> Sequence[Sequence[tuple[str, ...]]]:
    """Return what a state has together: factors that are renewed at refreshes alone have inverses at once."""
    every = settings["statistics_every"] or settings["refresh_every"]
    return ([*factors, *inverses],) if every % settings["refresh_every"] == 0 else (factors, inverses)


def is_inverted(state: Mapping[str, Any]) -> bool:
    """Return whether a refresh has found statistics of the layer."""
    return any(name in state for name in ("A_cholesky", "A_inverse", *TOP))


def multiply_right(G: Tensor, state: dict[str, Any], name: Name) -> Tensor:
    """Return G (F + damping * I)^-1."""
    L = state.get(f"{name}_cholesky")
    return multiply(G, state[f"{name}_inverse"]) if L is None else solve_right(G, L)


def multiply_both(G: Tensor, state: dict[str, Any]) -> Tensor:
    """Return B^-1 G A^-1 with the damped factors, the direction: (A (x) B)^-1 vec(G) as a [d_out, d_in] matrix."""
    right = multiply_right(G, state, "A")
    if "B_inverse" in state:
        return multiply(state["B_inverse"], right)
    return solve_right(right.mT, state["B_cholesky"]).mT


def multiply(left: Tensor, right: Tensor) -> Tensor:
    """Return left @ right, on a CPU with rows that start `ALIGNED` numbers apart or a multiple of it.

    The column of a bias makes rows of 785 or 1001, whose products take up to half as long again on a CPU: what counts
    is how the product lies in memory, not what is multiplied. On a GPU its values would have to be copied to be read as
    one vector: another launch.
    """
    width = right.shape[-1]
    if right.dim() != 2 or width % ALIGNED == 0 or not right.is_cpu:
        return left @ right
    product = left.new_empty(left.shape[0], -(-width // ALIGNED) * ALIGNED)[:, :width]
    return torch.mm(left, right, out=product)
