"""What is done to images before a net sees them, through `torchvision.transforms.v2`.

Per image: crop, flip, AutoAugment (on bytes), standardising, cutout. Per batch: CutMix, mixup. All random numbers come
from a seed that is drawn with the batch, so every arm sees the same pixels, however many workers load them.
"""

from collections.abc import Callable
from typing import final

import torch
from torch import Tensor
from torchvision.transforms import v2

from evabench.settings.classifiers import STAGE_WIDTHS, ClassifierSettings
from evabench.workloads.seeds import seeded
from evabench.workloads.workload import Batch

_IMAGENET_RESIZE = 256 / 224  # the shorter side before the middle is cut out, as torchvision's references evaluate


@final
class Augmentation:
    """The transforms of a classifier's training images and of its held-out ones."""

    def __init__(self, settings: ClassifierSettings) -> None:
        self.sides = (settings.images.channels, settings.images.height, settings.images.width)
        self._train_image = v2.Compose([*_geometry(settings), *_colour(settings), *_to_values(settings)])
        if settings.cutout:
            self._train_image = v2.Compose([self._train_image, _cutout(settings.cutout)])
        self._held_out_image = v2.Compose([*_plain_geometry(settings), *_to_values(settings)])
        self._mix = _mixing(settings)
        self._per_image = settings.crop != "none" or settings.flip or settings.auto_augment or settings.cutout > 0

    @property
    def is_random(self) -> bool:
        """Whether anything is drawn."""
        return self._per_image or self._mix is not None

    def training(self, inputs: Tensor, targets: Tensor, seed: int) -> Batch:
        """Return [batch, channels, size, size] and labels, from stored bytes [batch, pixels]."""
        images = inputs.reshape(-1, *self.sides)
        if not self.is_random:
            return Batch(self._train_image(images), targets)
        with seeded(seed):
            # One by one: a transform of v2 draws once a call, and would crop a whole batch alike.
            fed = torch.stack([self._train_image(image) for image in images]) if self._per_image else None
            return self._mixed(self._train_image(images) if fed is None else fed, targets)

    def held_out(self, inputs: Tensor, targets: Tensor) -> Batch:
        """Return images without anything random, and labels."""
        return Batch(self._held_out_image(inputs.reshape(-1, *self.sides)), targets)

    def training_image(self, image: Tensor, seed: int) -> Tensor:
        """Return one image [channels, size, size] from bytes [channels, height, width] of any sides."""
        with seeded(seed):
            fed: Tensor = self._train_image(image)
        return fed

    def held_out_image(self, image: Tensor) -> Tensor:
        """Return one image without anything random."""
        fed: Tensor = self._held_out_image(image)
        return fed

    def mix(self, images: Tensor, labels: Tensor, seed: int) -> Batch:
        """Return the batch after CutMix or mixup, where one is asked for."""
        with seeded(seed):
            return self._mixed(images, labels)

    def _mixed(self, images: Tensor, labels: Tensor) -> Batch:
        if self._mix is None:
            return Batch(images, labels)
        mixed, shares = self._mix(images, labels)
        return Batch(mixed, shares)


def _geometry(settings: ClassifierSettings) -> list[v2.Transform]:
    size = settings.input_size
    match settings.crop:
        case "padded":
            crop = [*_plain_geometry(settings), v2.RandomCrop(size, padding=size // 8)]
        case "resized":
            crop = [v2.RandomResizedCrop(size, antialias=True)]
        case _:
            crop = _plain_geometry(settings)
    return [*crop, *([v2.RandomHorizontalFlip()] if settings.flip else [])]


def _plain_geometry(settings: ClassifierSettings) -> list[v2.Transform]:
    size = settings.input_size
    if settings.data in ("imagenet", "imagenet_stand_in"):
        return [v2.Resize(round(size * _IMAGENET_RESIZE), antialias=True), v2.CenterCrop(size)]
    return [] if size == settings.images.height else [v2.Resize((size, size), antialias=True)]


def _colour(settings: ClassifierSettings) -> list[v2.Transform]:
    if not settings.auto_augment:
        return []
    small = settings.model in STAGE_WIDTHS
    return [v2.AutoAugment(v2.AutoAugmentPolicy.CIFAR10 if small else v2.AutoAugmentPolicy.IMAGENET)]


def _to_values(settings: ClassifierSettings) -> list[v2.Transform]:
    known = settings.images
    return [v2.ToDtype(torch.float32, scale=True), v2.Normalize(list(known.mean), list(known.std))]


def _cutout(share: float) -> v2.Transform:
    # Cutout (DeVries & Taylor 2017) lets the square overhang the border; torchvision's lies inside whole.
    return v2.RandomErasing(p=1.0, scale=(share**2, share**2), ratio=(1.0, 1.0), value=0)


def _mixing(settings: ClassifierSettings) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] | None:
    mixes: list[v2.Transform] = []
    if settings.cutmix:
        mixes.append(v2.CutMix(alpha=settings.cutmix, num_classes=settings.num_classes))
    if settings.mixup:
        mixes.append(v2.MixUp(alpha=settings.mixup, num_classes=settings.num_classes))
    if not mixes:
        return None
    mix: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] = mixes[0] if len(mixes) == 1 else v2.RandomChoice(mixes)
    return mix
