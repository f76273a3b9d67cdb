"""The state of an optimizer, byte by byte."""

from torch import Tensor
from torch.optim import Optimizer
from torch.utils._pytree import tree_leaves

from evabench.measurement.memory.storages import storage_bytes
from evabench.units import Bytes

# State that a first-order optimizer has too: not curvature.
FIRST_MOMENTS = frozenset({"momentum_buffer", "exp_avg"})


def state_bytes(optimizer: Optimizer, *, without: frozenset[str] = frozenset()) -> Bytes:
    """Return the bytes of all tensors in the optimizer's state, each storage once, but for the named entries."""
    return sum(storage_bytes(state_tensors(optimizer, without)).values())


def curvature_state_bytes(optimizer: Optimizer) -> Bytes:
    """Return the bytes of the state beyond the momentum (or first moment)."""
    return state_bytes(optimizer, without=FIRST_MOMENTS)


def first_moments(optimizer: Optimizer) -> list[Tensor]:
    """Return the tensors of the momentum, or first moment."""
    entries = [value for state in optimizer.state.values() for name, value in state.items() if name in FIRST_MOMENTS]
    return [leaf for leaf in tree_leaves(entries) if isinstance(leaf, Tensor)]


def state_tensors(optimizer: Optimizer, without: frozenset[str]) -> list[Tensor]:
    """Return all tensors in the optimizer's state, but for the named entries."""
    entries = [value for state in optimizer.state.values() for name, value in state.items() if name not in without]
    return [leaf for leaf in tree_leaves(entries) if isinstance(leaf, Tensor)]
