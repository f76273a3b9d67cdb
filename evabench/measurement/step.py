"""The training step that every measurement means, with the marks of its parts."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.optim import SGD, AdamW, Optimizer

from evabench.errors import EvabenchError
from evabench.optimizers.phases import phase
from evabench.optimizers.shell.preconditioner import Preconditioner
from evabench.records.phases import PhaseName
from evabench.workloads.workload import Batch, Workload


def training_step(workload: Workload, optimizer: Optimizer, batch: Batch, *, closure: bool = False) -> Tensor:
    """Train once and return the loss of the batch.

    With `closure` the optimizer calls the passes itself, as often as it likes; the loss is that of its first call.
    """
    if closure:
        return _train_by_closure(workload, optimizer, batch)
    with phase("zero_grad"):
        optimizer.zero_grad(set_to_none=True)
    return train_on(workload, optimizer, batch)


def train_on(workload: Workload, optimizer: Optimizer, batch: Batch) -> Tensor:
    """Train once where the gradients are already cleared, and return the loss of the batch."""
    loss = both_passes(workload, batch)
    with phase(_step_phase(optimizer)):
        workload.step(optimizer)
    return loss.detach()


def closure_of(optimizer: Optimizer, passes: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """Return what an optimizer calls for the loss of a batch, and for its gradients."""

    @torch.enable_grad()
    def closure() -> Tensor:
        with phase("zero_grad"):
            optimizer.zero_grad(set_to_none=True)
        return passes()

    return closure


def _train_by_closure(workload: Workload, optimizer: Optimizer, batch: Batch) -> Tensor:
    losses: list[Tensor] = []

    def passes() -> Tensor:
        loss = both_passes(workload, batch)
        losses.append(loss.detach())
        return loss

    with phase(_step_phase(optimizer)):
        optimizer.step(closure_of(optimizer, passes))  # type: ignore[arg-type]  # torch's annotation wants floats
    if not losses:
        raise EvabenchError(f"the step of {type(optimizer).__name__} calls no closure: leave closure = true out")
    return losses[0]


def both_passes(workload: Workload, batch: Batch) -> Tensor:
    """Make the forward and the backward pass of a batch and return its loss, with its graph."""
    with phase("forward"):
        loss = workload.loss(batch)
    with phase("backward"):
        workload.backward(loss)
    return loss


def has_rate(optimizer: Optimizer) -> bool:
    """Return whether the learning rate of any group is a number; else the optimizer knows its own."""
    return any(isinstance(group.get("lr"), int | float | Tensor) for group in optimizer.param_groups)


@torch.no_grad()
def scale_rate(optimizer: Optimizer, share: float) -> None:
    """Multiply the learning rates that are numbers; a tensor stays the same object."""
    if share == 1.0:
        return
    for group in optimizer.param_groups:
        rate = group.get("lr")
        if isinstance(rate, Tensor):
            rate.mul_(share)
        elif isinstance(rate, int | float):
            group["lr"] = rate * share


def _step_phase(optimizer: Optimizer) -> PhaseName:
    """Return what an optimizer's step is where it has no marks of its own."""
    if type(optimizer) in {SGD, AdamW}:  # a subclass may do anything
        return "update"
    # Ours have marks for all that they do; anybody else's need not have one.
    return "other" if isinstance(optimizer, Preconditioner) else "fused"
