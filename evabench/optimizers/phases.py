"""Marks of the parts of a step, for who measures them. Where nobody listens a mark costs two function calls.

    with phase("precondition"):
        ...

Marks nest; the time of an inner one is not part of the outer one's. They are not for threads: a step has one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, final

from evabench.records.phases import PhaseName


class Listener(Protocol):
    """Who is told when a part begins and ends."""

    def enter(self, name: PhaseName) -> None:
        """Begin a part inside the present one."""

    def leave(self) -> None:
        """Return to the part around."""


_listener: Listener | None = None


@final
class phase:  # noqa: N801 (a context manager is used like a function)
    """Mark what runs inside as one part of the step."""

    __slots__ = ("_heard_by", "_name")

    def __init__(self, name: PhaseName) -> None:
        self._name: PhaseName = name
        self._heard_by: Listener | None = None

    def __enter__(self) -> None:
        self._heard_by = _listener
        if self._heard_by is not None:
            self._heard_by.enter(self._name)

    def __exit__(self, *_: object) -> None:
        if self._heard_by is not None:
            self._heard_by.leave()


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Tell the listener of every mark that is passed inside."""
    global _listener
    before, _listener = _listener, listener
    try:
        yield
    finally:
        _listener = before
