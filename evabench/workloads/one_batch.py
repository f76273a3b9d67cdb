"""A source of batches that has one: for noise whose content does not matter, and for a set that is one batch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from torch import Tensor

from evabench.workloads.journal import Journal
from evabench.workloads.workload import Batch, HeldOut


@final
@dataclass(frozen=True, slots=True)
class OneBatch:
    """The same batch at every step, and once for every split."""

    readers: ClassVar[frozenset[int]] = frozenset()

    batch: Batch

    def stored(self) -> Mapping[str, Sequence[Tensor]]:
        """Return the batch."""
        return {"train": self.batch}

    def training_batches(self, journal: Journal | None = None) -> Iterator[Batch]:
        """Yield the batch without end."""
        while True:
            if journal is not None:
                journal.note((0,))
            yield self.batch

    def held_out(self, split: HeldOut) -> Iterator[Batch]:
        """Yield the batch once."""
        yield self.batch
