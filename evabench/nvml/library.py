"""The only door to NVML: a reading is a value, or None with its reason, once.

NVML answers per call, driver and permission: what one GPU counts another does not. A benchmark must not stop for that,
and must not turn it into 0 bytes or 0 joules either.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import pynvml

T = TypeVar("T")

_REASONS = {
    pynvml.NVML_ERROR_LIBRARY_NOT_FOUND: (
        "libnvidia-ml.so.1 was not found: no NVIDIA driver is installed here, or the container was started without it"
    ),
    pynvml.NVML_ERROR_DRIVER_NOT_LOADED: "the NVIDIA driver is not loaded",
    pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: (
        "the NVIDIA driver was updated and its old version is still loaded: restart the machine"
    ),
    pynvml.NVML_ERROR_NOT_SUPPORTED: "this device does not support it",
    pynvml.NVML_ERROR_NO_PERMISSION: "no permission to read it",
    pynvml.NVML_ERROR_FUNCTION_NOT_FOUND: "this driver is too old to know it",
    pynvml.NVML_ERROR_GPU_IS_LOST: "the GPU is lost: it fell off the bus or overheated",
}
# What will not be answered later either, and is not asked again: a sampler asks a hundred times per second.
_LASTING = {
    pynvml.NVML_ERROR_NOT_SUPPORTED,
    pynvml.NVML_ERROR_NO_PERMISSION,
    pynvml.NVML_ERROR_FUNCTION_NOT_FOUND,
    pynvml.NVML_ERROR_GPU_IS_LOST,
}


class Nvml:
    """A session with the library. Opening never raises: where there is none, every reading is None.

    A context manager. The session of a process does not survive a fork: open it where it is used.
    """

    def __init__(self) -> None:
        self._missing: dict[str, str] = {}
        self._lasting: set[str] = set()
        self.available = self.read("NVML", _init) is not None

    @property
    def missing(self) -> tuple[str, ...]:
        """Return what could not be read and why, one sentence each, in the order in which it was noticed."""
        return tuple(f"{what}: {reason}." for what, reason in self._missing.items())

    def read(self, what: str, ask: Callable[[], T]) -> T | None:
        """Return what NVML answers, or None; `what` names the value in the reason for None."""
        if what in self._lasting:
            return None
        try:
            return ask()
        except pynvml.NVMLError as error:
            code = error.value
            self.lack(what, _REASONS.get(code, f"NVML says: {error}"))
            if code in _LASTING:
                self._lasting.add(what)
        except pynvml.NVMLLibraryMismatchError:
            self.lack(what, _REASONS[pynvml.NVML_ERROR_FUNCTION_NOT_FOUND])
            self._lasting.add(what)
        return None

    def lack(self, what: str, reason: str) -> None:
        """Keep the reason why something is not known; the first one stays."""
        self._missing.setdefault(what, reason)

    def close(self) -> None:
        """End the session."""
        if self.available:
            pynvml.nvmlShutdown()
            self.available = False

    def __enter__(self) -> "Nvml":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def _init() -> bool:
    pynvml.nvmlInit()
    return True
