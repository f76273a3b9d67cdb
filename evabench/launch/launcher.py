"""What makes runs: the door behind which a local server stands, and later torchrun or a cluster.

Whoever needs runs is handed a `Launch` and knows no more of it: the local one is the class `LaunchServer`.
"""

from types import TracebackType
from typing import Protocol, Self

from evabench.records.request import ChildReply, Request


class Launcher(Protocol):
    """Makes runs, one after the other, each in a process of its own. A context manager: ready inside, gone after it."""

    def perform(self, request: Request) -> ChildReply:
        """Return how the run ended and what it measured. A run that gets lost is a reply too, never an exception."""

    def abandon(self) -> None:
        """End what is made now: a `perform` that waits in another thread returns, and its reply says nothing."""

    def __enter__(self) -> Self:
        """Wait until the first run can begin. Raises `WorkerError` where that never comes."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, and whatever it still makes."""


class Launch(Protocol):
    """Starts a launcher."""

    def __call__(self, *, layout_seed: str) -> Launcher:
        """Start one and do not wait for it. `layout_seed` draws what must not be the same in every session."""
