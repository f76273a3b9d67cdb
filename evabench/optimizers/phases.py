"""Marks of the parts of a step, for who measures them. A mark that nobody hears costs two function calls, or one.

    with phase("precondition"):       @phase("refresh")
        ...                               def invert(...): ...

Marks nest; the time of an inner one is not part of the outer one's. They are not for threads: a step has one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, Protocol, TypeVar, final

from evabench.records.phases import PhaseName

P = ParamSpec("P")
R = TypeVar("R")


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

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return the function with everything in it marked."""

        @wraps(function)
        def marked(*args: P.args, **kwargs: P.kwargs) -> R:
            if _listener is None:
                return function(*args, **kwargs)
            with phase(self._name):
                return function(*args, **kwargs)

        return marked


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Tell the listener of every mark that is passed inside."""
    global _listener
    before, _listener = _listener, listener
    try:
        yield
    finally:
        _listener = before
