"""The device of a run: the cell names its kind, the request which one of several."""

import torch

from evabench.errors import DeviceError
from evabench.measurement.device import module_of, name_of, uuid_of
from evabench.records.device import RunDevice
from evabench.records.request import Request

CPU = torch.device("cpu")
# What drivers say of a device that fails by itself, whatever runs on it; an illegal access is the measured code's own.
_GONE = ("device is lost", "gpu is lost", "fallen off the bus", "no cuda-capable device", "uncorrectable ecc")


def device_of(request: Request) -> torch.device:
    """Return the device, which is the present one from now on. Raises `DeviceError` where it is not there."""
    kind, index = request.cell.device, request.device_index
    if kind == "cpu":
        return CPU
    count = _count(kind)
    if index >= count:
        there = f"torch sees {count} of that kind" if count else f"torch {torch.__version__} sees none of that kind"
        raise DeviceError(f"there is no device {kind}:{index} here: {there}")
    device = torch.device(kind, index)
    module_of(device).set_device(device)
    return device


def is_gone(error: Exception) -> bool:
    """Return whether an error says that the device itself failed: no arm is to blame."""
    return any(words in str(error).lower() for words in _GONE)


def describe(device: torch.device) -> RunDevice | None:
    """Return what the device is; None on a CPU, which is the host's."""
    if device.type == "cpu":
        return None
    return RunDevice(kind=device.type, index=device.index, name=name_of(device), uuid=uuid_of(device))


def allocator_summary(device: torch.device) -> str:
    """Return what the allocator of the device says of its memory, for people; nothing where it says nothing."""
    tell = None if device.type == "cpu" else getattr(module_of(device), "memory_summary", None)
    return "" if tell is None else str(tell(device))


def _count(kind: str) -> int:
    try:
        module = module_of(torch.device(kind))
    except RuntimeError:  # torch knows no such word, or has nothing behind it
        return 0
    return int(module.device_count()) if module.is_available() else 0
