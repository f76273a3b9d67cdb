"""Reads something again and again in a side thread, and counts how often it really did and what that cost."""

from collections.abc import Callable
from itertools import pairwise
from threading import Event, Thread
from time import perf_counter
from types import TracebackType
from typing import Generic, Self, TypeVar

from evabench.records.sampling import Sampling
from evabench.units import Seconds

T = TypeVar("T")


class Sampler(Generic[T]):
    """Takes a sample at the start, one every `period_seconds`, and one at the end. A context manager.

    A reading that takes longer than the period delays the next one; nothing is made up for it. What a reading raises
    is raised again at the end.
    """

    def __init__(self, read: Callable[[], T], period_seconds: Seconds, now: Callable[[], Seconds] = perf_counter):
        self.period_seconds = period_seconds
        self.samples: list[tuple[Seconds, T]] = []  # when it was asked for, and what came
        self._read, self._now = read, now
        self._spent: Seconds = 0.0
        self._failure: Exception | None = None
        self._ending = Event()
        self._thread = Thread(target=self._repeat, name="evabench-sampler", daemon=True)

    def take(self) -> None:
        """Take one sample now."""
        begun = self._now()
        value = self._read()
        self._spent += self._now() - begun
        self.samples.append((begun, value))

    def sampling(self) -> Sampling:
        """Return how often it was read, and what that cost."""
        times = [when for when, _ in self.samples]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        return Sampling(
            period_seconds=self.period_seconds,
            num_samples=len(times),
            mean_gap_seconds=sum(gaps) / len(gaps) if gaps else None,
            longest_gap_seconds=max(gaps, default=None),
            busy_seconds=self._spent,
        )

    def __enter__(self) -> Self:
        self.take()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._thread.join()
        if self._failure is None:
            self.take()
        elif kind is None:
            raise self._failure

    def _repeat(self) -> None:
        due = self.samples[0][0]
        try:
            while True:
                due = max(due + self.period_seconds, self._now())
                if self._ending.wait(max(0.0, due - self._now())):
                    return
                self.take()
        except Exception as failure:
            self._failure = failure
