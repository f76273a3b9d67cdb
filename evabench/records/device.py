"""The accelerator that a run trained on."""

from dataclasses import dataclass

from evabench.settings.strict import Strict


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDevice(Strict):
    """One of those that the machine has, as torch names it in the child. The kind alone is part of the cell."""

    kind: str  # "cuda"
    index: int
    name: str | None = None  # None: it does not say
    uuid: str | None = None  # by which NVML knows it; None: it has none

    @property
    def title(self) -> str:
        """Return "cuda:0, NVIDIA H100"."""
        return f"{self.kind}:{self.index}" + (f", {self.name}" if self.name else "")

    def is_gpu(self, uuid: str) -> bool:
        """Return whether a GPU is this device, by its UUID; where the device does not say its own, any may be."""
        return self.uuid is None or bare_uuid(self.uuid) == bare_uuid(uuid)


def bare_uuid(uuid: str) -> str:
    """Return a UUID without the prefix that NVML has and CUDA leaves out: "GPU-" or "MIG-"."""
    return uuid.removeprefix("GPU-").removeprefix("MIG-").lower()
