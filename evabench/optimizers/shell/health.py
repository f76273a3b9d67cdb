"""What an optimizer says about its own health."""

from typing import Protocol

from evabench.records.health import Health

__all__ = ["Health", "health"]


class Reporting(Protocol):
    """An optimizer that knows how it fares."""

    def health(self) -> Health:
        """Return it; waits for the device."""


def health(optimizer: Reporting) -> Health:
    """Return what has gone wrong so far, beside `coverage`: steps skipped, by layer, and trouble with factorisations.

    It waits for the device, so it is for between steps.
    """
    return optimizer.health()
