"""Reads host and code, without torch."""

import os
import platform
from functools import cache
from pathlib import Path

import psutil

from evabench.machine.environment import package_version
from evabench.records.host import Host

_PACKAGES = ("torch", "torchvision", "timm", "numpy")  # what takes part in a step
_CGROUP = Path("/sys/fs/cgroup")


@cache
def read_host() -> Host:
    """Return what this machine is."""
    return Host(
        cpu=_cpu_model(),
        num_cpus=len(os.sched_getaffinity(0)),
        memory_bytes=psutil.virtual_memory().total,
        memory_limit_bytes=_memory_limit(),
        cpu_limit=_cpu_limit(),
        gpus=_gpus(),
        gpu_driver=_first_line(Path("/proc/driver/nvidia/version")),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        packages={name: found for name in _PACKAGES if (found := package_version(name))},
    )


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _memory_limit() -> int | None:
    limit = _first_line(_CGROUP / "memory.max")
    return int(limit) if limit and limit != "max" else None


def _cpu_limit() -> float | None:
    words = (_first_line(_CGROUP / "cpu.max") or "max").split()
    return int(words[0]) / int(words[1]) if words[0] != "max" else None


def _gpus() -> tuple[str, ...]:
    models = []
    for path in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        models += [line.split(":", 1)[1].strip() for line in path.read_text().splitlines() if line.startswith("Model")]
    return tuple(models)


def _first_line(path: Path) -> str | None:
    try:
        return path.read_text().splitlines()[0]
    except (OSError, IndexError):
        return None
