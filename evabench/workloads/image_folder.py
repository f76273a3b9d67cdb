"""ImageNet's layout, streamed: `train/<class>/*` and `val/<class>/*`, decoded by workers ahead of the step."""

import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, final

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from evabench.errors import DataError
from evabench.settings.datasets import ImageSet, num_kept
from evabench.workloads.augment import Augmentation
from evabench.workloads.journal import Journal
from evabench.workloads.seeds import draw_seed
from evabench.workloads.workload import Batch, HeldOut

Plan = list[list[tuple[int, int | None]]]  # keys of the samples of each batch

_MAX_WORKERS = 8
_SUFFIXES = {".jpeg", ".jpg", ".png"}


class Sample(NamedTuple):
    """A file and its class."""

    path: Path
    label: int


class _Loaded(NamedTuple):
    images: Tensor
    labels: Tensor
    seed: int  # of the first image: mixing goes on from it


@final
class ImageFolder:
    """Batches of a folder. The published `val` is the test set; a tenth of `train`, drawn once, is for validation."""

    def __init__(
        self, folder: Path, augmentation: Augmentation, *, batch: int, seed: int, known: ImageSet | None = None
    ) -> None:
        """Find the files. Raises `DataError` where the folder is not whole: `known` says how many there should be."""
        self.augmentation, self.batch = augmentation, batch
        self.readers: frozenset[int] = frozenset()
        classes = _classes(folder / "train")
        train = _samples(folder / "train", classes)
        # Files are sorted by class, so the last tenth would be whole classes: the tenth is that of a fixed shuffle.
        order = torch.randperm(len(train), generator=torch.Generator().manual_seed(0)).tolist()
        kept = num_kept(len(train))
        self.train = [train[index] for index in order[:kept]]
        self.held_out_samples: dict[HeldOut, list[Sample]] = {
            "validation": [train[index] for index in order[kept:]],
            "test": _samples(folder / "val", classes),
        }
        self._order = torch.Generator().manual_seed(seed + 1)
        if known is not None:
            _check_whole(folder, known, (len(classes), len(train), len(self.held_out_samples["test"])))

    def training_batches(self, journal: Journal | None = None) -> Iterator[Batch]:
        """Yield whole batches, decoded and augmented ahead by worker processes."""
        while True:
            yield from self._epoch(journal)

    def stored(self) -> Mapping[str, Sequence[Tensor]]:
        """Return nothing: the samples are files, and read anew each time."""
        return {}

    def held_out(self, split: HeldOut) -> Iterator[Batch]:
        """Yield a split in its own order."""
        samples = self.held_out_samples[split]
        starts = range(0, len(samples), self.batch)
        plan: Plan = [[(index, None) for index in range(len(samples))[start : start + self.batch]] for start in starts]
        for images, labels, _ in self._loader(samples, plan):
            yield Batch(images, labels)

    def labels(self) -> tuple[Tensor, Tensor]:
        """Return the classes of the training and of the validation samples; no image is read."""
        train, validation = (
            torch.tensor([sample.label for sample in samples])
            for samples in (self.train, self.held_out_samples["validation"])
        )
        return train, validation

    def _epoch(self, journal: Journal | None) -> Iterator[Batch]:
        order = torch.randperm(len(self.train), generator=self._order)
        num_batches = len(order) // self.batch
        plan: Plan = [
            [(int(index), draw_seed(self._order)) for index in order[start * self.batch : (start + 1) * self.batch]]
            for start in range(num_batches)
        ]
        for planned, (images, labels, seed) in zip(plan, self._loader(self.train, plan), strict=True):
            if journal is not None:
                journal.note([index for index, _ in planned], [drawn or 0 for _, drawn in planned])
            yield self.augmentation.mix(images, labels, seed)

    def _loader(self, samples: list[Sample], plan: Plan) -> Iterator[_Loaded]:
        loader = DataLoader(
            _Decoded(samples, self.augmentation),
            batch_sampler=plan,
            num_workers=min(_MAX_WORKERS, len(os.sched_getaffinity(0)), len(plan)),
            collate_fn=_collate,
        )
        others = multiprocessing.active_children()
        batches = iter(loader)
        started = [child.pid for child in multiprocessing.active_children() if child not in others]
        self.readers |= {pid for pid in started if pid is not None}
        try:
            yield from batches
        except DataError as error:
            # A worker sends its whole traceback as the message; ours is the last line.
            raise DataError(str(error).strip().rpartition("DataError: ")[2]) from None


@final
class _Decoded(Dataset[tuple[Tensor, int, int]]):
    """A key is an index and the seed of its transforms; None: a held-out image, nothing random."""

    def __init__(self, samples: list[Sample], augmentation: Augmentation) -> None:
        self.samples, self.augmentation = samples, augmentation

    def __getitem__(self, key: tuple[int, int | None]) -> tuple[Tensor, int, int]:
        index, seed = key
        sample = self.samples[index]
        try:
            with Image.open(sample.path) as opened:
                image = torch.from_numpy(np.array(opened.convert("RGB"))).permute(2, 0, 1)
        except (OSError, SyntaxError, ValueError) as error:  # the last two: Pillow's, for a PNG with broken chunks
            raise DataError(f"{sample.path} cannot be decoded: {error}. Replace it or take it out.") from error
        if seed is None:
            return self.augmentation.held_out_image(image), sample.label, 0
        return self.augmentation.training_image(image, seed), sample.label, seed


def _collate(loaded: list[tuple[Tensor, int, int]]) -> _Loaded:
    images, labels, seeds = zip(*loaded, strict=True)
    return _Loaded(torch.stack(images), torch.tensor(labels), seeds[0])


def _classes(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir() if path.is_dir())
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror}. It should hold one folder per class.") from None


def _check_whole(folder: Path, known: ImageSet, found: tuple[int, int, int]) -> None:
    whole = (known.num_classes, known.num_train, known.num_test)
    if found != whole:
        words = [
            f"{classes} classes, {train} images in train and {val} in val" for classes, train, val in (found, whole)
        ]
        raise DataError(
            f"{folder} is not {known.title}, or not the whole of it: it has {words[0]}, and should have {words[1]}. "
            'Copy what is missing. A part of it, or a folder of your own, is a workload "plugin": docs/workloads.md.'
        )


def _samples(folder: Path, classes: list[str]) -> list[Sample]:
    found = [
        Sample(path, label)
        for label, name in enumerate(classes)
        for path in sorted((folder / name).glob("*"))
        if path.suffix.lower() in _SUFFIXES
    ]
    if not found:
        raise DataError(
            f"{folder} has no images in folders of classes. It should look like {folder}/n01440764/x.JPEG; "
            "the published validation archive is flat and has to be sorted into classes first."
        )
    return found
