"""What a machine is like now, before anything is run: what may be read at once, without watching it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from evabench.machine.limits import read_limits
from evabench.nvml.library import Nvml
from evabench.nvml.visible import visible_devices
from evabench.records.limits import Limits
from evabench.units import Bytes

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineState:
    """None: this system does not say."""

    load_1min: float
    limits: Limits
    free_memory_bytes: Bytes
    swap_used_bytes: Bytes
    swap_bytes: Bytes
    governors: tuple[str, ...] | None  # of the CPUs' clocks, each once
    thread_variables: Mapping[str, str]  # of this shell; a run sets its own
    gpus: tuple[str, ...] | None  # that a run would see
    why_no_gpus: str | None  # None: the GPUs could be read


def read_machine_state(root: Path = Path("/"), environment: Mapping[str, str] = os.environ) -> MachineState:
    """Read everything once. `root` is where the system's files are: "/" but in tests."""
    swap = psutil.swap_memory()
    with Nvml() as nvml:
        devices = visible_devices(nvml, environment)
        missing = nvml.missing
    return MachineState(
        load_1min=os.getloadavg()[0],
        limits=read_limits(root),
        free_memory_bytes=psutil.virtual_memory().available,
        swap_used_bytes=swap.used,
        swap_bytes=swap.total,
        governors=_governors(root),
        thread_variables={name: environment[name] for name in THREAD_VARIABLES if name in environment},
        gpus=None if devices is None else tuple(device.title for device in devices),
        why_no_gpus=" ".join(missing) if devices is None else None,
    )


def _governors(root: Path) -> tuple[str, ...] | None:
    paths = sorted(root.glob("sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor"))
    found = dict.fromkeys(path.read_text().strip() for path in paths)
    return tuple(found) or None
