"""SOAP, PSGD-Kron and Muon of heavyball (BSD-2-Clause), uncompiled.

heavyball compiles its kernels in the first steps, which takes half a minute on a CPU; here `compile_mode` is None, for
the whole process, so what is timed is the eager code. `set_torch`, which changes torch's global flags, is not called.
None of the three has a counterpart among ours: compare them by loss curve, step time and memory.

- `soap`: Adam in the eigenbasis of Shampoo's factors; axes longer than 2048 have none.
- `psgd_kron`: a Kronecker-factored preconditioner that is fitted with a probability of 1 / `refresh_every` per step, on
  a deterministic schedule, instead of the package's own, which begins at 1 and falls.
- `muon`: orthogonalised momentum for every parameter with two axes or more (a kernel as a matrix), Adam for the rest.
"""

from collections.abc import Iterable
from typing import Any

from torch import nn
from torch.optim import Optimizer

from evabench.peers.extra import import_peer


def soap(
    parameters: Iterable[nn.Parameter],
    *,
    lr: float = 3e-3,
    beta1: float = 0.9,
    beta2: float = 0.95,
    weight_decay: float = 0.01,
    refresh_every: int = 10,
) -> Optimizer:
    """Return SOAP, its eigenbasis updated at every `refresh_every`-th step."""
    optimizer: Optimizer = _heavyball().SOAP(
        list(parameters), lr=lr, betas=(beta1, beta2), weight_decay=weight_decay, precondition_frequency=refresh_every
    )
    return optimizer


def psgd_kron(
    parameters: Iterable[nn.Parameter], *, lr: float = 1e-3, weight_decay: float = 0.0, refresh_every: int = 10
) -> Optimizer:
    """Return PSGD-Kron."""
    optimizer: Optimizer = _heavyball().PSGDKron(
        list(parameters), lr=lr, weight_decay=weight_decay, preconditioner_update_probability=1 / refresh_every
    )
    return optimizer


def muon(parameters: Iterable[nn.Parameter], *, lr: float = 2.5e-3, weight_decay: float = 0.0) -> Optimizer:
    """Return Muon with Adam for vectors, both at the same rate."""
    optimizer: Optimizer = _heavyball().MuonAdamW(list(parameters), lr=lr, weight_decay=weight_decay)
    return optimizer


def _heavyball() -> Any:
    import_peer("heavyball.utils").compile_mode = None
    return import_peer("heavyball")
