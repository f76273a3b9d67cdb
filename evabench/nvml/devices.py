"""GPUs and MIG slices, and what NVML says about each."""

from dataclasses import dataclass
from typing import Any

import pynvml

from evabench.nvml.library import Nvml
from evabench.records.device import bare_uuid
from evabench.units import Bytes, Hertz, Joules, Watts

# Bits of the clocks' event reasons (NVML's "throttle reasons" before driver 535), in words.
CLOCK_LIMITS = {
    pynvml.nvmlClocksEventReasonGpuIdle: "idle",
    pynvml.nvmlClocksEventReasonApplicationsClocksSetting: "application clocks set",
    pynvml.nvmlClocksEventReasonSwPowerCap: "power limit",
    pynvml.nvmlClocksEventReasonHwSlowdown: "hardware slowdown",
    pynvml.nvmlClocksEventReasonSyncBoost: "sync boost",
    pynvml.nvmlClocksEventReasonSwThermalSlowdown: "software thermal slowdown",
    pynvml.nvmlClocksEventReasonHwThermalSlowdown: "hardware thermal slowdown",
    pynvml.nvmlClocksEventReasonHwPowerBrakeSlowdown: "power brake",
    pynvml.nvmlClocksEventReasonDisplayClockSetting: "display clocks",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A GPU, or a MIG slice of one."""

    nvml: Nvml
    handle: Any
    uuid: str  # "GPU-..." or "MIG-..."
    name: str
    parent: "Device | None" = None  # the GPU of a MIG slice

    def used_bytes(self) -> Bytes | None:
        """Return the memory that all processes together use, without what the driver reserves for itself."""
        # The first version of this call counts the driver's reserve as used.
        memory = self._read("memory", pynvml.nvmlDeviceGetMemoryInfo, pynvml.nvmlMemory_v2)
        return None if memory is None else int(memory.used)

    def total_bytes(self) -> Bytes | None:
        """Return the memory of the device."""
        memory = self._read("memory", pynvml.nvmlDeviceGetMemoryInfo, pynvml.nvmlMemory_v2)
        return None if memory is None else int(memory.total)

    def utilisation(self) -> float | None:
        """Return the share of the last sampling period (of the driver) in which a kernel ran."""
        rates = self._read("utilisation", pynvml.nvmlDeviceGetUtilizationRates)
        return None if rates is None else rates.gpu / 100

    def sm_clock(self) -> Hertz | None:
        """Return the clock of the multiprocessors. A slice has the clock of its GPU."""
        return self._clock("SM clock", pynvml.nvmlDeviceGetClockInfo, pynvml.NVML_CLOCK_SM)

    def max_sm_clock(self) -> Hertz | None:
        """Return the highest clock of the multiprocessors."""
        return self._clock("highest SM clock", pynvml.nvmlDeviceGetMaxClockInfo, pynvml.NVML_CLOCK_SM)

    def memory_clock(self) -> Hertz | None:
        """Return the clock of the memory."""
        return self._clock("memory clock", pynvml.nvmlDeviceGetClockInfo, pynvml.NVML_CLOCK_MEM)

    def clock_limits(self) -> tuple[str, ...] | None:
        """Return what holds the clocks down now, in words; empty: nothing."""
        if self.parent:
            return self.parent.clock_limits()
        bits = self._read("reasons of the clocks", pynvml.nvmlDeviceGetCurrentClocksEventReasons)
        if bits is None:
            return None
        known = [words for bit, words in CLOCK_LIMITS.items() if bits & bit]
        rest = bits & ~sum(CLOCK_LIMITS)
        return (*known, f"unknown reason {rest:#x}") if rest else tuple(known)

    def power(self) -> Watts | None:
        """Return the power drawn, averaged by the driver (over 1 s on Ampere and later, else 25 to 100 ms)."""
        milliwatts = None if self._shares("power") else self._read("power", pynvml.nvmlDeviceGetPowerUsage)
        return None if milliwatts is None else milliwatts / 1000

    def energy(self) -> Joules | None:
        """Return the energy used since the driver was loaded (Volta and later)."""
        what, ask = "energy counter", pynvml.nvmlDeviceGetTotalEnergyConsumption
        millijoules = None if self._shares(what) else self._read(what, ask)
        return None if millijoules is None else millijoules / 1000

    def _clock(self, what: str, ask: Any, domain: int) -> Hertz | None:
        if self.parent:
            return self.parent._clock(what, ask, domain)
        megahertz = self._read(what, ask, domain)
        return None if megahertz is None else megahertz * 1e6

    def _shares(self, what: str) -> bool:
        if self.parent:
            reason = "a MIG slice has none of its own, and that of its GPU counts the other slices too"
            self.nvml.lack(f"{self.title}, {what}", reason)
        return self.parent is not None

    def _read(self, what: str, ask: Any, *arguments: Any) -> Any:
        return self.nvml.read(f"{self.title}, {what}", lambda: ask(self.handle, *arguments))

    @property
    def title(self) -> str:
        """Return "NVIDIA H100 (GPU-8f3...)"."""
        return f"{self.name} ({self.uuid})"


def all_gpus(nvml: Nvml) -> tuple[Device, ...]:
    """Return every GPU that this machine (or container) has, in the order of the PCI bus."""
    count = nvml.read("number of GPUs", pynvml.nvmlDeviceGetCount) if nvml.available else None
    gpus = []
    for index in range(count or 0):
        what = f"GPU {index}"
        handle = nvml.read(what, lambda index=index: pynvml.nvmlDeviceGetHandleByIndex(index))  # type: ignore[misc]
        if handle is not None and (gpu := _device(nvml, what, handle, None)):
            gpus.append(gpu)
    return tuple(gpus)


def slices_of(gpu: Device) -> tuple[Device, ...]:
    """Return the MIG slices of a GPU; empty where MIG is off or not there at all."""
    try:
        mode, _ = pynvml.nvmlDeviceGetMigMode(gpu.handle)
        if mode != pynvml.NVML_DEVICE_MIG_ENABLE:
            return ()
        count = pynvml.nvmlDeviceGetMaxMigDeviceCount(gpu.handle)
    except pynvml.NVMLError:  # a GPU without MIG is no lack
        return ()
    slices = []
    for index in range(count):
        try:
            handle = pynvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu.handle, index)
        except pynvml.NVMLError:  # places for slices need not be taken
            continue
        if found := _device(gpu.nvml, f"{gpu.title}, slice {index}", handle, gpu):
            slices.append(found)
    return tuple(slices)


def device_of_uuid(nvml: Nvml, uuid: str) -> Device | None:
    """Return the GPU or slice with this UUID. CUDA gives it without the prefix "GPU-" or "MIG-"."""
    wanted = bare_uuid(uuid)
    gpus = all_gpus(nvml)
    for device in (*gpus, *(one for gpu in gpus for one in slices_of(gpu))):
        if bare_uuid(device.uuid) == wanted:
            return device
    if nvml.available:
        nvml.lack(f"device {uuid}", f"NVML knows {', '.join(gpu.uuid for gpu in gpus) or 'no GPU'} and their slices")
    return None


def _device(nvml: Nvml, what: str, handle: Any, parent: Device | None) -> Device | None:
    uuid = nvml.read(f"{what}, UUID", lambda: pynvml.nvmlDeviceGetUUID(handle))
    name = nvml.read(f"{what}, name", lambda: pynvml.nvmlDeviceGetName(handle))
    if uuid is None:
        return None
    return Device(nvml=nvml, handle=handle, uuid=uuid, name=name or what, parent=parent)
