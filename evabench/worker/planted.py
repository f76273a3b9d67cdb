"""An optimizer with a fault on purpose: what `evabench gate --self-test` must find. A plug-in that ships."""

from math import prod
from time import perf_counter
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from evabench.optimizers.phases import phase
from evabench.records.codec import decode
from evabench.settings.optimizers import OptimizerSettings
from evabench.worker.build import build_optimizer


def planted(
    model: nn.Module, *, settings: str, spin_seconds: float = 0.0, state_bytes: int = 0, host_reads: int = 0
) -> Optimizer:
    """Return the optimizer of `settings`, whose every step takes longer, holds more, or reads more on the host.

    It keeps its own class, its marks and its state; the time is spent in a mark of its own time, `precondition`.
    """
    optimizer = build_optimizer(decode(OptimizerSettings, settings), model)  # type: ignore[arg-type]  # a union
    step = optimizer.step
    parameter = next(one for group in optimizer.param_groups for one in group["params"] if prod(one.shape))

    def step_with_a_fault(closure: Any = None) -> Any:
        answer = step() if closure is None else step(closure)
        with phase("precondition"):
            if state_bytes and "planted" not in optimizer.state[parameter]:
                optimizer.state[parameter]["planted"] = torch.zeros(
                    state_bytes, dtype=torch.uint8, device=parameter.device
                )
            for _ in range(host_reads):
                parameter.detach().flatten()[0].item()
            end = perf_counter() + spin_seconds
            while perf_counter() < end:
                pass
        return answer

    optimizer.step = step_with_a_fault  # type: ignore[method-assign]
    return optimizer
