"""Reads what this machine is, without torch."""

import os
import platform
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import psutil

from evabench.records.host import Host, Processor


@cache
def read_host(root: Path = Path("/")) -> Host:
    """Return what this machine is. `root` is where the system's files are: "/" but in tests."""
    return Host(
        processors=read_processors(root),
        num_cpus=os.cpu_count(),
        memory_bytes=psutil.virtual_memory().total,
        gpus=_gpus(root),
        gpu_driver=_first_line(root / "proc/driver/nvidia/version"),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
    )


def read_processors(root: Path) -> tuple[Processor, ...]:
    """Return each kind of processor once, in their order; one that is known by its architecture alone where none is."""
    found = dict.fromkeys(_processor(block) for block in _blocks(root / "proc/cpuinfo"))
    return tuple(one for one in found if one.vendor or one.model) or (Processor(name=_architecture()),)


def _blocks(cpuinfo: Path) -> Iterator[dict[str, str]]:
    """Yield what /proc/cpuinfo says of each CPU, by its words."""
    for block in _text(cpuinfo).split("\n\n"):
        lines = (line.partition(":") for line in block.splitlines())
        yield {name.strip(): value.strip() for name, _, value in lines}


def _processor(said: dict[str, str]) -> Processor:
    if "CPU implementer" in said:
        implementer, part, revision = (said.get(name) for name in ("CPU implementer", "CPU part", "CPU revision"))
        name = said.get("model name") or f"{_architecture()}, implementer {implementer}, part {part}"
        return Processor(name=name, vendor=implementer, model=part, revision=revision)
    return Processor(
        name=said.get("model name") or _architecture(),
        vendor=said.get("vendor_id"),
        family=said.get("cpu family"),
        model=said.get("model"),
    )


def _architecture() -> str:
    return platform.processor() or platform.machine()


def _gpus(root: Path) -> tuple[str, ...]:
    models = []
    for path in sorted((root / "proc/driver/nvidia/gpus").glob("*/information")):
        models += [line.split(":", 1)[1].strip() for line in _text(path).splitlines() if line.startswith("Model")]
    return tuple(models)


def _first_line(path: Path) -> str | None:
    return next(iter(_text(path).splitlines()), None)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
