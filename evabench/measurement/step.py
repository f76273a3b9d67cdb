"""The training step that every measurement means, with the marks of its parts."""

from torch import Tensor
from torch.optim import SGD, AdamW, Optimizer

from evabench.optimizers.phases import phase
from evabench.optimizers.shell.preconditioner import Preconditioner
from evabench.records.phases import PhaseName
from evabench.workloads.workload import Batch, Workload


def training_step(workload: Workload, optimizer: Optimizer, batch: Batch) -> Tensor:
    """Train once and return the loss of the batch."""
    with phase("zero_grad"):
        optimizer.zero_grad(set_to_none=True)
    return train_on(workload, optimizer, batch)


def train_on(workload: Workload, optimizer: Optimizer, batch: Batch) -> Tensor:
    """Train once where the gradients are already cleared, and return the loss of the batch."""
    with phase("forward"):
        loss = workload.loss(batch)
    with phase("backward"):
        loss.backward()  # type: ignore[no-untyped-call]  # torch's annotation is incomplete
    with phase(_step_phase(optimizer)):
        optimizer.step()
    return loss.detach()


def slow_down(optimizer: Optimizer) -> None:
    """Divide the learning rate by 1000 where only the cost counts, which does not depend on it.

    These steps have no schedule: at its full rate an arm that was tuned with one may diverge within a visit.
    """
    for group in optimizer.param_groups:
        if "lr" in group:
            group["lr"] = group["lr"] / 1000


def _step_phase(optimizer: Optimizer) -> PhaseName:
    """Return what an optimizer's step is where it has no marks of its own."""
    if type(optimizer) in {SGD, AdamW}:  # a subclass may do anything
        return "update"
    # Ours have marks for all that they do; anybody else's need not have one.
    return "other" if isinstance(optimizer, Preconditioner) else "fused"
