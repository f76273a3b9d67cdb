"""The kernels that a step gives to a CUDA device, as the driver's own tracer (CUPTI) counts them."""

from collections.abc import Callable

import torch
from torch.autograd import DeviceType  # type: ignore[attr-defined]  # it is public, its module says nothing
from torch.profiler import ProfilerActivity, profile

_NO_KERNELS = ("Memcpy", "Memset")


def count_kernels(step: Callable[[], None], num_steps: int, device: torch.device) -> list[int | None]:
    """Return the kernels of each of so many steps; None where the tracer saw none: it may not be allowed here."""
    counts = []
    for _ in range(num_steps):
        torch.cuda.synchronize(device)
        with profile(activities=[ProfilerActivity.CUDA]) as profiler:
            step()
            torch.cuda.synchronize(device)
        found = [event.name() for event in profiler.profiler.kineto_results.events() if _on_device(event)]
        counts.append(sum(not name.startswith(_NO_KERNELS) for name in found) or None)
    return counts


def _on_device(event: "torch._C._autograd._KinetoEvent") -> bool:
    return bool(event.device_type() == DeviceType.CUDA)
