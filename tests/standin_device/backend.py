"""Gives torch the device "standin". Importing this file is enough; a launch server does so where it is told to.

Environment: STANDIN_DEVICES, STANDIN_LIMIT_BYTES (of each device), STANDIN_LOST_AFTER (launches), STANDIN_UUIDS (with
commas between them, as NVML has them).
"""

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import torch

KIND = "standin"


def _loaded():
    sys.path.insert(0, str(Path(__file__).parent))
    try:
        import build  # by its own name: a launch server has no `tests` on its path
    finally:
        sys.path.pop(0)
    spec = importlib.util.spec_from_file_location(build.NAME, build.build())
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


library = _loaded()


def _index(device):
    if device is None:
        return library.current_device()
    return device if isinstance(device, int) else torch.device(device).index or 0


class Properties:
    """What a device says of itself: a UUID where the environment gives it one."""

    def __init__(self, index):
        uuids = [one for one in os.environ.get("STANDIN_UUIDS", "").split(",") if one]
        self.name = "stand-in"
        self.uuid = uuids[index] if index < len(uuids) else None


def _device_module():
    """Return what `torch.standin` is, with the names that `torch.cuda` has."""
    module = ModuleType(f"torch.{KIND}")
    module.is_available = lambda: library.device_count() > 0
    module.is_initialized = lambda: True
    module._is_in_bad_fork = lambda: False
    module.device_count = library.device_count
    module.current_device = library.current_device
    module.set_device = lambda device: library.set_device(_index(device))
    module.device = lambda device: torch.accelerator.device_index(_index(device))
    module.synchronize = torch.accelerator.synchronize
    module.manual_seed = lambda seed: library.manual_seed(library.current_device(), seed)
    module.manual_seed_all = lambda seed: [library.manual_seed(i, seed) for i in range(library.device_count())]
    module.get_rng_state = lambda device=None: library.default_generator(_index(device)).get_state()
    module.set_rng_state = lambda state, device=None: library.default_generator(_index(device)).set_state(state)
    module.get_amp_supported_dtype = lambda: [torch.bfloat16, torch.float16]
    module.get_device_properties = lambda device=None: Properties(_index(device))
    module.Stream = torch.Stream
    module.mem_get_info = lambda device=None: library.memory_info(_index(device))
    module.memory_allocated = lambda device=None: library.counters(_index(device))["live_bytes"]
    module.max_memory_allocated = lambda device=None: library.counters(_index(device))["peak_bytes"]
    # It takes no more from the machine than tensors need.
    module.memory_reserved = module.memory_allocated
    module.max_memory_reserved = module.max_memory_allocated
    module.reset_peak_memory_stats = lambda device=None: library.reset_peak(_index(device))
    module.memory_summary = lambda device=None: str(library.counters(_index(device)))
    return module


def _register():
    torch.utils.rename_privateuse1_backend(KIND)
    torch._register_device_module(KIND, _device_module())
    torch.utils.generate_methods_for_privateuse1_backend()
    for name, tell in (
        ("STANDIN_DEVICES", library.set_device_count),
        ("STANDIN_LIMIT_BYTES", library.set_limit_bytes),
        ("STANDIN_LOST_AFTER", library.lose_after_launches),
    ):
        if name in os.environ:
            tell(int(os.environ[name]))


_register()
