"""The device that a run trains on, in words that every accelerator has; what is CUDA's alone has files of its own."""

from typing import Any

import torch

from evabench.units import Bytes


def synchronize(device: torch.device) -> None:
    """Wait until the device has done what it was given; on a CPU everything has been done when it returns."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def module_of(device: torch.device) -> Any:
    """Return torch's module for the kind of a device, as `torch.cuda`: its allocator, its properties."""
    return torch.get_device_module(device)


def allocated_bytes(device: torch.device) -> Bytes | None:
    """Return the bytes of tensors alive on the device now; None on a CPU, and where its allocator does not count."""
    if device.type == "cpu":
        return None
    counted = getattr(module_of(device), "memory_allocated", None)
    return None if counted is None else int(counted(device))


def name_of(device: torch.device) -> str | None:
    """Return what the device calls itself; None where it does not say."""
    return _property(device, "name")


def uuid_of(device: torch.device) -> str | None:
    """Return the number that NVML knows the device by; None where it has none."""
    return _property(device, "uuid")


def _property(device: torch.device, name: str) -> str | None:
    if device.type == "cpu":
        return None
    properties = getattr(module_of(device), "get_device_properties", None)
    found = None if properties is None else getattr(properties(device), name, None)
    return None if found is None else str(found)
