"""The clock of a GPU between two windows of steps: it needs a second of load to come up from idle."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from evabench.measurement.device import uuid_of
from evabench.nvml.devices import device_of_uuid
from evabench.nvml.library import Nvml
from evabench.units import Hertz

Speed = Callable[[], Hertz | None]


def unknown_speed() -> None:
    """Return None: nobody tells the clock of a CPU's steps, or of a device that NVML does not know."""


@contextmanager
def speed_of(device: torch.device) -> Iterator[Speed]:
    """Give what reads the clock of a device by NVML."""
    uuid = uuid_of(device)
    if uuid is None:
        yield unknown_speed
        return
    with Nvml() as nvml:
        gpu = device_of_uuid(nvml, uuid)
        yield unknown_speed if gpu is None else gpu.sm_clock
