"""Which devices a call of evabench may use, found without making a context on any of them.

CUDA's are counted by NVML, as CUDA_VISIBLE_DEVICES shows them; those of other kinds by a launch server as it starts.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import NamedTuple

from evabench.errors import DeviceError
from evabench.launch.server import LaunchServer
from evabench.nvml.library import Nvml
from evabench.nvml.processes import processes_of
from evabench.nvml.visible import visible_devices
from evabench.records.request import ServerReady

AUTO, CPU = "auto", "cpu"
_DEVICE = re.compile(r"([a-z][a-z0-9_]*)(?::(\d+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Devices:
    """One kind of device, and which of them."""

    kind: str = CPU
    indices: tuple[int, ...] = (0,)  # as torch numbers them; runs that are timed have the first
    names: tuple[str, ...] = ()  # of these, where they are known
    found_by: str | None = None  # what "auto" has found, in words; None: the kind was named
    others: tuple[int, ...] = ()  # processes that were on each before the first run, where NVML tells

    @property
    def words(self) -> str | None:
        """Return "Runs train on cuda:0, NVIDIA H100."; None on a CPU that nobody had to look for."""
        if self.kind == CPU:
            return None if self.found_by is None else f"Runs train on the CPU: {self.found_by}."
        first = f"{self.kind}:{self.indices[0]}" + (f", {self.names[0]}" if self.names else "")
        more = len(self.indices) - 1
        others = f", and untimed ones on {more} more of that kind (--jobs)" if more else ""
        found_by = f": {self.found_by}." if self.found_by else "."
        return f"Runs train on {first}{others}{found_by}" + "".join(f" {sentence}" for sentence in self._in_use())

    def _in_use(self) -> Iterator[str]:
        """Yield a sentence for what others use of these devices: nobody is refused, and nobody is surprised."""
        busy = {f"{self.kind}:{index}": count for index, count in zip(self.indices, self.others, strict=False) if count}
        for title, count in busy.items():
            others = "another process" if count == 1 else f"{count} other processes"
            yield f"{title} is in use by {others} (`nvidia-smi` names them)."
        if f"{self.kind}:{self.indices[0]}" in busy:
            yield "Times measured there are flagged as disturbed, and its memory is not all free."


def find_devices(asked: str, environment: Mapping[str, str] = os.environ) -> Devices:
    """Return the devices that a word names. Raises `DeviceError` where they are not here.

    "auto" is CUDA where NVML shows a GPU, else the accelerator that torch sees, else the CPU.
    """
    if asked == CPU:
        return Devices()
    if asked == AUTO:
        return _find_any(environment)
    kind, number = _kind_and_number(asked)
    shown, why_none = _shown_gpus(environment) if kind == "cuda" else _shown_others(kind)
    if shown is None:  # nobody can say without a context: a run will
        return Devices(kind=kind, indices=(number or 0,))
    if not shown:
        raise DeviceError(f"there is no device {asked} here: {why_none}. Leave --device out to train on the CPU")
    if number is not None and number >= len(shown):
        there = ", ".join(f"{kind}:{index}" for index in range(len(shown)))
        raise DeviceError(f"there is no device {asked} here. There is {there}")
    return _devices(kind, shown, tuple(range(len(shown))) if number is None else (number,))


def kind_of(asked: str) -> str:
    """Return the kind that a word names, for what is stored: runs of a device can be read where there is none."""
    return find_devices(AUTO).kind if asked == AUTO else _kind_and_number(asked)[0]


def _kind_and_number(asked: str) -> tuple[str, int | None]:
    match = _DEVICE.fullmatch(asked)
    if match is None or (match[1] == CPU and match[2]):
        raise DeviceError(
            f'"{asked}" is no device. Allowed: "auto", "cpu", "cuda", "cuda:1", or what else torch knows of that form'
        )
    return match[1], None if match[2] is None else int(match[2])


def _find_any(environment: Mapping[str, str]) -> Devices:
    shown, _ = _shown_gpus(environment)
    if shown:
        found_by = f"NVML shows {len(shown)}, of which CUDA_VISIBLE_DEVICES hides none"
        return replace(_devices("cuda", shown, tuple(range(len(shown)))), found_by=found_by)
    ready = _greeting()
    if ready.accelerator is not None and ready.num_accelerators:
        found_by = f"it is the accelerator of torch {ready.torch_version}"
        return Devices(kind=ready.accelerator, indices=tuple(range(ready.num_accelerators)), found_by=found_by)
    return Devices(found_by=f"NVML shows no GPU, and torch {ready.torch_version} sees no other accelerator")


class _Shown(NamedTuple):
    """A device before anything of ours is on it."""

    name: str = ""  # empty: not known
    processes: int = 0  # that NVML lists on it


def _devices(kind: str, shown: Sequence[_Shown], indices: tuple[int, ...]) -> Devices:
    return Devices(
        kind=kind,
        indices=indices,
        names=tuple(shown[index].name for index in indices if shown[index].name),
        others=tuple(shown[index].processes for index in indices),
    )


def _shown_gpus(environment: Mapping[str, str]) -> tuple[list[_Shown] | None, str]:
    """Return each GPU that CUDA would show, None where NVML cannot tell which these are, and why there is none."""
    with Nvml() as nvml:
        if not nvml.available:
            return [], " ".join(nvml.missing).rstrip(".")
        shown = visible_devices(nvml, environment)
        found = None if shown is None else [_Shown(each.name, len(processes_of(each) or ())) for each in shown]
        return found, "CUDA_VISIBLE_DEVICES hides every GPU that NVML shows"


def _shown_others(kind: str) -> tuple[list[_Shown], str]:
    """Return as many devices as torch sees of a kind, which is not CUDA's and nobody names, and why there is none."""
    ready = _greeting()
    count = (ready.num_accelerators or 0) if ready.accelerator == kind else 0
    return [_Shown()] * count, f"torch takes {ready.accelerator or 'none'} for its accelerator"


def _greeting() -> ServerReady:
    with LaunchServer(layout_seed="devices") as server:
        return server.greeting


@dataclass(slots=True)
class DeviceShares:
    """Deals out the devices of a call among the runs that are made at the same time, the least used first."""

    devices: Devices
    jobs: int
    _free: "SimpleQueue[int]" = field(default_factory=SimpleQueue, init=False)

    def __post_init__(self) -> None:
        """Have each device as often as jobs come to it."""
        for job in range(self.jobs):
            self._free.put(self.devices.indices[job % len(self.devices.indices)])

    @contextmanager
    def one(self, *, alone: bool) -> Iterator[int]:
        """Give a run its device; one that is alone on the machine always has the first."""
        if alone:
            yield self.devices.indices[0]
            return
        index = self._free.get()
        try:
            yield index
        finally:
            self._free.put(index)
