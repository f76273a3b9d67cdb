"""Which devices CUDA shows to a process, from its environment, without CUDA.

CUDA and NVML number GPUs differently unless CUDA_DEVICE_ORDER=PCI_BUS_ID, so numbers are only used where they cannot
mean two things. In a process that has a CUDA context its UUID is the better answer: `devices.device_of_uuid`.
"""

import re
from collections.abc import Mapping, Sequence

from evabench.nvml.devices import Device, all_gpus, slices_of
from evabench.nvml.library import Nvml

_VARIABLE = "CUDA_VISIBLE_DEVICES"


def visible_devices(nvml: Nvml, environment: Mapping[str, str]) -> tuple[Device, ...] | None:
    """Return the devices that CUDA shows, in its order; None where that cannot be known, with the reason in `nvml`.

    As CUDA reads CUDA_VISIBLE_DEVICES: unset means all, empty means none; numbers, or UUIDs, or the beginnings of
    UUIDs; the first entry that names no device ends the list; a device named twice makes the list empty.
    """
    if not nvml.available:
        return None
    gpus = all_gpus(nvml)
    wanted = environment.get(_VARIABLE)
    if wanted is None:
        return _as_cuda_counts(gpus)
    first = wanted.split(",")[0].strip()
    if first.startswith("MIG-"):
        slices = [one for gpu in gpus for one in slices_of(gpu)]
        return _named(slices, wanted, "MIG-")[:1]  # CUDA shows one slice per process
    if first.startswith("GPU-"):
        return _as_cuda_counts(_named(gpus, wanted, "GPU-"))
    numbers = _numbers(wanted, len(gpus))
    if len(numbers) < len(gpus) and numbers and not _numbers_are_clear(gpus, environment):
        nvml.lack(
            f"{_VARIABLE}={wanted}",
            "CUDA may number these GPUs, which are of different models, in another order than NVML: set "
            "CUDA_DEVICE_ORDER=PCI_BUS_ID, or name the GPUs by UUID",
        )
        return None
    return _as_cuda_counts([gpus[number] for number in numbers])


def _as_cuda_counts(gpus: Sequence[Device]) -> tuple[Device, ...]:
    # Where a GPU is cut into slices, CUDA shows the first slice and nothing else.
    slices = [one for gpu in gpus for one in slices_of(gpu)]
    return tuple(slices[:1] or gpus)


def _named(devices: Sequence[Device], wanted: str, kind: str) -> tuple[Device, ...]:
    found: list[Device] = []
    for word in wanted.split(","):
        beginning = word.strip()
        fitting = [one for one in devices if one.uuid.lower().startswith(beginning.lower())]
        if not beginning.startswith(kind) or len(fitting) != 1:
            break
        if fitting[0] in found:
            return ()
        found.append(fitting[0])
    return tuple(found)


def _numbers(wanted: str, count: int) -> tuple[int, ...]:
    numbers: list[int] = []
    for word in wanted.split(","):
        match = re.match(r"\+?(\d+)", word.strip())  # as strtoul: "1gpu" is 1
        if not match or int(match[1]) >= count:
            break
        if int(match[1]) in numbers:
            return ()
        numbers.append(int(match[1]))
    return tuple(numbers)


def _numbers_are_clear(gpus: Sequence[Device], environment: Mapping[str, str]) -> bool:
    # CUDA's own order is "the fastest first, the rest unspecified"; among equals it is that of the bus.
    return environment.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID" or len({gpu.name for gpu in gpus}) == 1
