"""What a step of an optimizer sends where several ranks train one model, counted in one process.

The group of ranks is torch's fake one: its collectives do nothing. So the numbers of these steps mean nothing, and what
each collective is handed is what it would be.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, distributed
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from evabench.measurement.bench import Bench
from evabench.measurement.trained_steps import TrainedSteps
from evabench.units import Bytes

_NUM_RANKS = 2
_DEVICES = ("cpu", "cuda")  # that the fake group knows; what is sent does not depend on it


def count_sent_bytes(bench: Bench) -> Bytes | None:
    """Return the bytes that the optimizer of one rank hands to collectives in the first cycle.

    None where no group can be made, or where the arm does not run in one.
    """
    if not distributed.is_available() or distributed.is_initialized():
        return None
    device = bench.device if bench.device.type in _DEVICES else torch.device("cpu")
    try:
        with _fake_ranks():
            steps = TrainedSteps(replace(bench, device=device))
            with _SentBytes() as sent:
                for _ in range(bench.cycle_steps):
                    steps.step()
    except Exception:  # a user's own: what it does among ranks is not what is asked
        return None
    num_bytes: Bytes = sent.num_bytes
    return num_bytes


class _SentBytes(TorchDispatchMode):
    """Adds up the tensors that collectives are handed."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's base class has no annotations
        self.num_bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.namespace == "c10d":
            self.num_bytes += sum(leaf.nbytes for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor))
        return func(*args, **(kwargs or {}))


@contextmanager
def _fake_ranks() -> Iterator[None]:
    """Have a default group of which this process is the first rank."""
    from torch.testing._internal.distributed.fake_pg import FakeStore  # loads the back end too

    distributed.init_process_group("fake", store=FakeStore(), rank=0, world_size=_NUM_RANKS)
    try:
        yield
    finally:
        distributed.destroy_process_group()
