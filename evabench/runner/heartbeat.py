"""A word every so often from a side thread of the parent, for those who cannot see a bar move."""

from collections.abc import Callable
from threading import Event, Thread
from types import TracebackType
from typing import Self

from evabench.units import Seconds


class Heartbeat:
    """Calls `tell` every so many seconds, from entering to leaving.

    `wait` waits so many seconds and returns whether it is over; it is a parameter so that a test need not wait.
    """

    def __init__(
        self, tell: Callable[[], None], *, every: Seconds, wait: Callable[[Seconds], bool] | None = None
    ) -> None:
        self._tell, self._every = tell, every
        self._over = Event()
        self._wait = wait or self._over.wait
        self._thread = Thread(target=self._beat, daemon=True)

    def _beat(self) -> None:
        while not self._wait(self._every):
            self._tell()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
