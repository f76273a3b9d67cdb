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
