"""The clock of a training run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from evabench.units import Seconds


@dataclass(slots=True)
class PausableClock:
    """Counts the seconds in which it runs."""

    now: Callable[[], Seconds] = perf_counter
    seconds: Seconds = 0.0
    _since: Seconds = field(default=0.0, init=False)

    def resume(self) -> None:
        """Let it run."""
        self._since = self.now()

    def pause(self) -> None:
        """Stop it; what passes now is not counted."""
        self.seconds += self.now() - self._since

    def read(self) -> Seconds:
        """Return what it has counted until now, while it runs."""
        return self.seconds + self.now() - self._since

    @contextmanager
    def standing_still(self, wait: Callable[[], None]) -> Iterator[None]:
        """Stop while something else is done. A device first ends what it was given: that is work of the training."""
        wait()
        self.pause()
        try:
            yield
        finally:
            self.resume()
