"""What holds for the whole process: an optimizer that sets it changes the passes of the net, and not just its own step.

Public codes do so when they are imported: TF32 for every product, more threads, another default type.
"""

import gc
import os
from collections.abc import Callable, Mapping

import torch

_SUBNORMAL = 2e-38, 0.1  # normal factors, a product that is none


def read_switches() -> Mapping[str, str]:
    """Return each switch as it stands now, as text."""
    return {name: _text(read) for name, read in _SWITCHES.items()}


def changed_switches(before: Mapping[str, str]) -> tuple[str, ...]:
    """Return those that stand otherwise now, with both values."""
    now = read_switches()
    return tuple(f"{name} from {value} to {now[name]}" for name, value in before.items() if now[name] != value)


def _text(read: Callable[[], object]) -> str:
    try:
        return str(read())
    except RuntimeError:  # torch refuses to read a switch that was set in two ways
        return "set in two ways"


def _keeps_subnormals() -> bool:
    value, factor = _SUBNORMAL
    return bool(torch.tensor(value) * factor)


def _affinity() -> object:
    read = getattr(os, "sched_getaffinity", None)  # macOS has none
    return None if read is None else sorted(read(0))


_SWITCHES: Mapping[str, Callable[[], object]] = {
    "torch.get_num_threads": torch.get_num_threads,
    "torch.get_default_dtype": torch.get_default_dtype,
    "torch.get_float32_matmul_precision": torch.get_float32_matmul_precision,
    "torch.backends.cuda.matmul.allow_tf32": lambda: torch.backends.cuda.matmul.allow_tf32,
    "torch.backends.cudnn.allow_tf32": lambda: torch.backends.cudnn.allow_tf32,
    "torch.backends.cudnn.benchmark": lambda: torch.backends.cudnn.benchmark,
    "torch.are_deterministic_algorithms_enabled": torch.are_deterministic_algorithms_enabled,
    "torch.is_grad_enabled": torch.is_grad_enabled,
    "torch.is_autocast_enabled": lambda: torch.is_autocast_enabled("cpu"),
    "subnormal numbers kept": _keeps_subnormals,
    "gc.isenabled": gc.isenabled,
    "gc.get_threshold": gc.get_threshold,
    "CPU affinity": _affinity,
    "priority": lambda: os.getpriority(os.PRIO_PROCESS, 0),
}
