"""Which packages a run was made with."""

from collections.abc import Mapping
from dataclasses import dataclass

from evabench.settings.strict import Strict


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment(Strict):
    """Versions of what takes part in a step. Runs with different versions of torch are never pooled."""

    torch: str | None  # None: it was not to be found
    numpy: str | None
    others: Mapping[str, str | None]  # that the settings of the cell name

    @property
    def identity(self) -> tuple[tuple[str, str | None], ...]:
        """Return all versions, by package."""
        return ("torch", self.torch), ("numpy", self.numpy), *sorted(self.others.items())

    @property
    def title(self) -> str:
        """Return "torch 2.14.1, numpy 2.4.6"."""
        return ", ".join(f"{name} {version}" for name, version in self.identity if version is not None)
