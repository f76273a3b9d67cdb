"""A source of batches that has one: for noise whose content does not matter, and for a set that is one batch."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from evabench.workloads.workload import Batch, HeldOut


@final
@dataclass(frozen=True, slots=True)
class OneBatch:
    """The same batch at every step, and once for every split."""

    batch: Batch

    def training_batches(self) -> Iterator[Batch]:
        """Yield the batch without end."""
        while True:
            yield self.batch

    def held_out(self, split: HeldOut) -> Iterator[Batch]:
        """Yield the batch once."""
        yield self.batch
