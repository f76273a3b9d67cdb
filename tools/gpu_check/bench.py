"""The device that the checks run on. `cpu` is a dry run of their logic, on narrow nets and few steps."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from evabench.measurement.timing.clock import Clock
from evabench.measurement.timing.device_clock import clock_on, marks_on
from evabench.measurement.timing.phases import MarkClock
from evabench.nvml.devices import Device, all_gpus, device_of_uuid
from evabench.nvml.library import Nvml


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A device by its name, and what differs between a GPU and the dry run."""

    device_name: str  # "cuda" or "cpu"
    out: Path = Path("results/gpu-check")  # the folder of lines and report

    @property
    def dry(self) -> bool:
        """Return whether this is a run of the logic alone, whose figures say nothing."""
        return self.device_name == "cpu"

    @property
    def device(self) -> torch.device:
        """Return the device."""
        return torch.device("cpu") if self.dry else torch.device("cuda", 0)

    @property
    def clock(self) -> Clock:
        """Return what times steps here."""
        return clock_on(self.device)

    @property
    def marks(self) -> MarkClock:
        """Return what times the parts of a step here."""
        return marks_on(self.device)

    def few(self, on_a_gpu: int, dry: int) -> int:
        """Return the first number on a GPU, the second in a dry run."""
        return dry if self.dry else on_a_gpu

    def synchronize(self) -> None:
        """Wait for the device."""
        if not self.dry:
            torch.cuda.synchronize()

    def release(self) -> None:
        """Give the memory of what is no longer used back to the device."""
        gc.collect()
        if not self.dry:
            torch.cuda.synchronize()
            torch.cuda.empty_cache()

    def gpu(self, nvml: Nvml) -> Device | None:
        """Return the device as NVML knows it; in a dry run the first GPU of the library that is found, if any."""
        if self.dry:
            return next(iter(all_gpus(nvml)), None)
        return device_of_uuid(nvml, str(torch.cuda.get_device_properties(self.device).uuid))


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Keep Python's garbage collector out of what is timed."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def precision() -> dict[str, Any]:
    """Return torch's switches that decide how float32 is computed on a GPU."""
    return {
        "cudnn.benchmark": torch.backends.cudnn.benchmark,
        "cudnn.deterministic": torch.backends.cudnn.deterministic,
        "cudnn.allow_tf32": torch.backends.cudnn.allow_tf32,
        "matmul.allow_tf32": torch.backends.cuda.matmul.allow_tf32,
        "float32_matmul_precision": torch.get_float32_matmul_precision(),
        "CUDA_DEVICE_ORDER": os.environ.get("CUDA_DEVICE_ORDER"),
        "CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES"),
    }


def clocks_of(gpu: Device | None) -> dict[str, Any]:
    """Return what the GPU says about its speed now; empty where there is none."""
    if gpu is None:
        return {}
    return {
        "sm_hertz": gpu.sm_clock(),
        "memory_hertz": gpu.memory_clock(),
        "limits": gpu.clock_limits(),
        "watts": gpu.power(),
    }
