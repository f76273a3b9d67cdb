"""Memory of the device while steps run: torch's allocator at the end, NVML in a side thread."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial

import torch

from evabench.measurement.device import module_of, synchronize, uuid_of
from evabench.nvml.devices import Device, device_of_uuid
from evabench.nvml.library import Nvml
from evabench.nvml.processes import OwnPids, own_bytes, processes_of, read_own_pids
from evabench.records.device_memory import DeviceMemory
from evabench.sampling import Sampler
from evabench.units import Bytes, Seconds

_ON_A_CPU = DeviceMemory(missing=("device memory: this run trained on a CPU, which has none.",))
_PERIOD_SECONDS = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySample:
    """One look at a device."""

    device_bytes: Bytes | None
    process_bytes: Bytes | None
    num_processes: int | None


@dataclass(slots=True)
class DeviceMemoryPeak:
    """What `watch_device_memory` found; complete when its block has ended."""

    found: DeviceMemory = field(default_factory=DeviceMemory)


@contextmanager
def watch_device_memory(device: torch.device) -> Iterator[DeviceMemoryPeak]:
    """Watch the memory of the device on which the block trains; on a CPU there is none, with the reason."""
    if device.type == "cpu":
        yield DeviceMemoryPeak(_ON_A_CPU)
        return
    module, uuid = module_of(device), uuid_of(device)
    synchronize(device)
    module.reset_peak_memory_stats(device)
    peak = DeviceMemoryPeak(DeviceMemory(missing=(f"device memory: NVML knows no device of kind {device.type}.",)))
    with nullcontext() if uuid is None else watch_nvml_memory(uuid, read_own_pids(), peak):
        yield peak
        synchronize(device)
    peak.found = replace(
        peak.found,
        allocated_bytes=int(module.max_memory_allocated(device)),
        reserved_bytes=int(module.max_memory_reserved(device)),
    )


@contextmanager
def watch_nvml_memory(
    uuid: str, own: OwnPids, peak: DeviceMemoryPeak, period_seconds: Seconds = _PERIOD_SECONDS
) -> Iterator[Callable[[], None]]:
    """Sample the device of this UUID while the block runs, and leave its peaks in `peak`.

    The block gets a function that takes a sample at once.
    """
    with ExitStack() as stack:
        nvml = stack.enter_context(Nvml())
        device = device_of_uuid(nvml, uuid)
        if device is None:
            yield lambda: None
            peak.found = DeviceMemory(missing=nvml.missing)
            return
        sampler = Sampler(partial(_look, device, own), period_seconds)
        with sampler:
            yield sampler.take
        peak.found = _peaks(sampler, nvml)


def _look(device: Device, own: OwnPids) -> MemorySample:
    processes = processes_of(device)
    return MemorySample(
        device_bytes=device.used_bytes(),
        process_bytes=None if processes is None else own_bytes(device, own, processes),
        num_processes=None if processes is None else len(processes),
    )


def _peaks(sampler: Sampler[MemorySample], nvml: Nvml) -> DeviceMemory:
    samples = [sample for _, sample in sampler.samples]
    return DeviceMemory(
        process_bytes=_largest([sample.process_bytes for sample in samples]),
        device_bytes=_largest([sample.device_bytes for sample in samples]),
        device_bytes_before=samples[0].device_bytes,
        most_processes=_largest([sample.num_processes for sample in samples]),
        sampling=sampler.sampling(),
        missing=nvml.missing,
    )


def _largest(values: list[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)
