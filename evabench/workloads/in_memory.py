"""Batches from tensors that lie in memory whole, in a new order each epoch."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, final

import torch
from torch import Tensor

from evabench.units import Bytes
from evabench.workloads.journal import Journal
from evabench.workloads.seeds import draw_seed
from evabench.workloads.workload import Batch, HeldOut

_EVALUATION_BATCH = 1000


class Preparation(Protocol):
    """Stored samples -> what a model is fed."""

    @property
    def is_random(self) -> bool:
        """Whether training batches need random numbers; the order of the samples is not meant."""
        ...

    def training(self, inputs: Tensor, targets: Tensor, seed: int) -> Batch:
        """Return a training batch; what is random about it is drawn by the seed."""
        ...

    def held_out(self, inputs: Tensor, targets: Tensor) -> Batch:
        """Return a batch to be judged by: nothing random."""
        ...


@final
class InMemory:
    """Three splits, each as inputs and targets of one length."""

    def __init__(
        self,
        splits: Mapping[str, tuple[Tensor, Tensor]],  # "train", "validation", "test"
        preparation: Preparation,
        *,
        batch: int,
        seed: int,
        evaluation_batch: int = _EVALUATION_BATCH,
    ) -> None:
        self.splits, self.preparation, self.batch = splits, preparation, batch
        self.evaluation_batch = evaluation_batch
        self._order = torch.Generator().manual_seed(seed + 1)

    readers: frozenset[int] = frozenset()

    @property
    def num_bytes(self) -> Bytes:
        """Return the size of all splits; what two of them share, or inputs with targets, counts once."""
        whole = {id(tensor): tensor.nbytes for split in self.splits.values() for tensor in split}
        return sum(whole.values())

    def move_to(self, device: torch.device) -> None:
        """Have the splits on a device, where batches are then chosen and prepared. The order is drawn as before."""
        moved = {id(tensor): tensor.to(device) for split in self.splits.values() for tensor in split}
        self.splits = {name: (moved[id(one)], moved[id(other)]) for name, (one, other) in self.splits.items()}

    def stored(self) -> Mapping[str, Sequence[Tensor]]:
        """Return inputs and targets of each split."""
        return self.splits

    def training_batches(self, journal: Journal | None = None) -> Iterator[Batch]:
        """Yield whole batches; the remainder of an epoch is dropped, and drawn anew in the next."""
        inputs, targets = self.splits["train"]
        while True:
            order = torch.randperm(len(inputs), generator=self._order)
            for start in range(0, len(inputs) - self.batch + 1, self.batch):
                numbers = order[start : start + self.batch]
                seed = draw_seed(self._order) if self.preparation.is_random else 0
                if journal is not None:
                    journal.note(numbers, (seed,))
                drawn = _beside(numbers, inputs)
                yield self.preparation.training(inputs[drawn], targets[drawn], seed)

    def held_out(self, split: HeldOut) -> Iterator[Batch]:
        """Yield a split in its own order."""
        inputs, targets = self.splits[split]
        for start in range(0, len(inputs), self.evaluation_batch):
            stop = start + self.evaluation_batch
            yield self.preparation.held_out(inputs[start:stop], targets[start:stop])


@final
class Reconstructing:
    """Bytes as float32 in [0, 1], other values as they are, and the inputs themselves as targets."""

    is_random = False

    def training(self, inputs: Tensor, targets: Tensor, seed: int) -> Batch:
        """Return [batch, pixels] twice."""
        return self.held_out(inputs, targets)

    def held_out(self, inputs: Tensor, targets: Tensor) -> Batch:
        """Return [batch, pixels] twice."""
        values = to_float(inputs) if inputs.dtype == torch.uint8 else inputs
        return Batch(values, values)


@final
class AsTheyAre:
    """Samples that are ready to be fed."""

    is_random = False

    def training(self, inputs: Tensor, targets: Tensor, seed: int) -> Batch:
        """Return the batch."""
        return Batch(inputs, targets)

    def held_out(self, inputs: Tensor, targets: Tensor) -> Batch:
        """Return the batch."""
        return Batch(inputs, targets)


def _beside(drawn: Tensor, samples: Tensor) -> Tensor:
    """Return the numbers of samples where the samples are; the host does not wait for the copy."""
    return drawn if samples.device.type == "cpu" else drawn.pin_memory().to(samples.device, non_blocking=True)


def to_float(images: Tensor) -> Tensor:
    """Return bytes as float32 in [0, 1]."""
    return images.to(torch.float32).div_(255)
