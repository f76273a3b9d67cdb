"""Counts of what went wrong in the mathematics, kept on the device until somebody asks."""

from collections.abc import Sequence
from typing import NamedTuple, TypedDict, final

import torch
from torch import Tensor


class Trouble(NamedTuple):
    """What went wrong at a factorisation: attempts that needed more damping, and those that never succeeded."""

    escalations: Tensor | int  # on the device where the host does not know
    failures: Tensor | int


class Counts(TypedDict):
    """Those of `Health`, under its names."""

    num_escalations: int
    num_failures: int
    num_stale_refreshes: int
    num_waiting_refreshes: int


@final
class Troubles:
    """Escalations, failures and stale refreshes since the optimizer was made; not part of its `state_dict`."""

    def __init__(self) -> None:
        self._escalations: Tensor | int = 0
        self._failures: Tensor | int = 0
        self._stale: Tensor | int = 0
        self._waits = 0

    def add(self, trouble: Trouble) -> None:
        """Add what happened at the factorisation of one factor, or of several."""
        self._escalations = trouble.escalations + self._escalations
        self._failures = trouble.failures + self._failures

    def count_failure(self, broken: Tensor | None) -> None:
        """Add a step whose directions are not finite although the gradients are: it was skipped."""
        if broken is not None:
            self._failures = broken + self._failures

    def count_refresh(self, renewed: Sequence[Tensor | None], *, waits: bool) -> None:
        """Add a refresh: whether the host waits, and the layers without sound statistics of this very step."""
        known = [each for each in renewed if each is not None]
        num_missing = len(renewed) - len(known)
        self._stale = self._stale + num_missing + ((~torch.stack(known)).sum() if known else 0)
        self._waits += waits

    def counts(self) -> Counts:
        """Return the counts; waits for the device."""
        return {
            "num_escalations": int(self._escalations),
            "num_failures": int(self._failures),
            "num_stale_refreshes": int(self._stale),
            "num_waiting_refreshes": self._waits,
        }
