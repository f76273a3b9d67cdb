"""Timed steps are trained steps: the arm's own rate, from the same moment before each block.

At a rate that was tuned with a schedule an arm may diverge where it is timed without one. What is measured is then
made again, with a new workload and optimizer, at a tenth of the rate; the record says at which.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from torch import Tensor

from evabench.errors import DivergedError
from evabench.measurement.bench import Bench
from evabench.measurement.collector import collecting_new_objects
from evabench.measurement.snapshot import Snapshot
from evabench.workloads.workload import Batch

# Batches are made before a timed block, and used again after so many, so that input is never part of a step's time.
_TIMED_BATCHES = 16
_LEAST_RATE_SHARE = 1e-3
_NOT_FINITE = "its numbers were no longer finite within the steps that are measured"

Found = TypeVar("Found")


class TrainedSteps:
    """Training steps whose batches are made now. After `keep`, `rewind` goes back to that moment.

    `streamed`: each batch is made when its step comes, and no other is alive.
    """

    def __init__(self, bench: Bench, *, streamed: bool = False) -> None:
        self._bench = bench
        stream = bench.workload.batches()
        self._batches = stream if streamed else _endless([next(stream) for _ in range(_TIMED_BATCHES)])
        self._losses: list[Tensor] = []  # since the last look, as a training run keeps them
        self._moment: Snapshot | None = None

    def step(self) -> None:
        """Train on the next batch."""
        self._losses.append(self._bench.train(next(self._batches)))

    def next_batch(self) -> Batch:
        """Return the next batch, for a step that is made in another way."""
        return next(self._batches)

    def keep(self) -> None:
        """Remember parameters, buffers and the optimizer's state. Raises `DivergedError` where it is too late."""
        self.check()
        self._moment = Snapshot(self._bench.workload.model, self._bench.optimizer)

    def rewind(self) -> None:
        """Go back to the moment that was kept. Raises `DivergedError` where the steps since then diverged."""
        assert self._moment is not None, "nothing was kept"
        self.check()
        self._moment.restore()

    def check(self) -> None:
        """Raise `DivergedError` where the steps since the last look have diverged; waits for a device."""
        if self.diverged:
            raise DivergedError(_NOT_FINITE)
        self._losses.clear()

    @property
    def diverged(self) -> bool:
        """Return whether a loss since the last look is not finite, or a parameter or gradient now; waits for a device.

        An optimizer that skips what is not finite may have finite losses, large and always the same.
        """
        parameters = [*self._bench.workload.model.parameters()]
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        return _any_not_finite([*self._losses, *parameters, *gradients])

    def rewinding(self, every: int) -> Callable[[], None]:
        """Return a step that goes back before each block of so many: for a window that has no end of its own."""
        num_steps = 0

        def step() -> None:
            nonlocal num_steps
            if num_steps % every == 0:
                self.rewind()
            num_steps += 1
            self.step()

        return step


def at_a_rate_that_holds(bench: Bench, measure: Callable[[TrainedSteps], Found], *, streamed: bool = False) -> Found:
    """Return what is measured at the arm's own rate, or at the first tenth of it at which no loss diverges.

    Raises `DivergedError` where there is none down to a thousandth, or the optimizer knows its own rate.
    """
    while True:
        steps = TrainedSteps(bench, streamed=streamed)
        try:
            with collecting_new_objects():
                found = measure(steps)
            steps.check()
        except Exception as error:
            # Mathematics that meets what is not finite may raise before anybody has looked at a loss.
            if not isinstance(error, DivergedError) and not steps.diverged:
                raise
            if not bench.has_rate:
                kind = type(bench.optimizer).__name__
                raise DivergedError(f"{_NOT_FINITE}, and {kind} has no learning rate to lower") from error
            if bench.rate_share < 2 * _LEAST_RATE_SHARE:
                words = f"even at {bench.rate_share:g} of the arm's learning rate"
                raise DivergedError(f"{_NOT_FINITE}, {words}") from error
            del steps
            bench.start_over(bench.rate_share / 10)
        else:
            return found


def _any_not_finite(tensors: Iterable[Tensor]) -> bool:
    return not all(bool(tensor.detach().isfinite().all()) for tensor in tensors)


def _endless(batches: list[Batch]) -> Iterator[Batch]:
    while True:
        yield from batches
