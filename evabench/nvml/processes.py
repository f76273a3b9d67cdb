"""Who uses a device, each process counted once, also where NVML knows it by another number."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pynvml

from evabench.nvml.devices import Device
from evabench.units import Bytes

# The kernel gives the first PID namespace this inode number (PROC_PID_INIT_INO).
_FIRST_NAMESPACE = "pid:[4026531836]"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceProcess:
    """A process that holds memory of a device."""

    pid: int  # as NVML says it: in the first PID namespace, the host's
    used_bytes: Bytes | None  # None: the driver does not say it


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPids:
    """The numbers by which NVML may know this process."""

    pids: frozenset[int]  # empty: not known
    reason: str | None  # why not


def read_own_pids(pid: int | str = "self", proc: Path = Path("/proc")) -> OwnPids:
    """Return the numbers of this process, or of one that it started, in its own and in the outer PID namespaces.

    In a container NVML gives the host's numbers, which the container cannot see: another process may even have the
    number that this one has inside. Only the first namespace's own number is taken as it is.
    """
    try:
        first = os.readlink(proc / str(pid) / "ns" / "pid") == _FIRST_NAMESPACE
        status = (proc / str(pid) / "status").read_text()
    except OSError as error:
        return OwnPids(pids=frozenset(), reason=f"{error.filename} cannot be read: {error.strerror}")
    numbers = next((line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")), [])
    if first or len(numbers) > 1:  # more than one: the outer ones come first
        return OwnPids(pids=frozenset(map(int, numbers)), reason=None)
    return OwnPids(
        pids=frozenset(),
        reason=(
            "this process runs in a PID namespace of its own (a container), and NVML knows it by its number on the "
            "host: start the container with --pid=host"
        ),
    )


def processes_of(device: Device) -> tuple[DeviceProcess, ...] | None:
    """Return the processes on a device by number; None where none of its lists can be read.

    A process that computes and draws is in two lists with the same memory: it is one process, with the larger figure.
    """
    used: dict[int, Bytes | None] = {}
    lists = [
        device.nvml.read(f"{device.title}, {kind} processes", lambda ask=ask: ask(device.handle))  # type: ignore[misc]
        for kind, ask in (
            ("compute", pynvml.nvmlDeviceGetComputeRunningProcesses),
            ("graphics", pynvml.nvmlDeviceGetGraphicsRunningProcesses),
            ("MPS", pynvml.nvmlDeviceGetMPSComputeRunningProcesses),
        )
    ]
    if lists[0] is None:
        return None
    for entry in (entry for entries in lists for entry in entries or ()):
        known = used.get(entry.pid)
        figures = [figure for figure in (known, entry.usedGpuMemory) if figure is not None]
        used[entry.pid] = max(figures, default=None)
    return tuple(DeviceProcess(pid=pid, used_bytes=figure) for pid, figure in sorted(used.items()))


def own_bytes(device: Device, own: OwnPids, processes: Iterable[DeviceProcess]) -> Bytes | None:
    """Return the memory that this process holds on the device; None with the reason where that is not known."""
    what = f"{device.title}, memory of this process"
    if own.reason:
        device.nvml.lack(what, own.reason)
        return None
    mine = [process for process in processes if process.pid in own.pids]
    if not mine:
        return None  # no context yet, or no longer: a peak is made of the samples that have one
    if mine[0].used_bytes is None:
        device.nvml.lack(what, "the driver lists the process without its memory")
    return mine[0].used_bytes
