"""Settings -> model and workload, in one match each."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import assert_never

from torch import Tensor, nn

from evabench.datasets.places import require
from evabench.datasets.stand_ins import make_imagenet
from evabench.records.trivial import TrivialLevel
from evabench.settings.autoencoders import AutoencoderSettings
from evabench.settings.classifiers import STAND_IN_CHECKPOINT, ClassifierSettings
from evabench.settings.language import LanguageSettings
from evabench.settings.quadratics import QuadraticSettings
from evabench.settings.synthetic import SyntheticSettings
from evabench.workloads.augment import Augmentation
from evabench.workloads.autoencoder import build_autoencoder
from evabench.workloads.cifar import build_mlp, build_resnet, build_vgg, build_wide_resnet
from evabench.workloads.data import Images, load_images, load_text
from evabench.workloads.image_folder import ImageFolder
from evabench.workloads.imagenet import build_imagenet_net
from evabench.workloads.in_memory import AsTheyAre, InMemory, Reconstructing
from evabench.workloads.language import build_gpt
from evabench.workloads.objectives import Classification, NextToken, Reconstruction
from evabench.workloads.quadratic import build_quadratic
from evabench.workloads.seeds import seeded
from evabench.workloads.synthetic import build_layers, draw_noise
from evabench.workloads.tokens import Windows, tokenize
from evabench.workloads.trivial import class_prior_levels, reconstruction_levels, unigram_levels
from evabench.workloads.weights import load_weights, stand_in_checkpoint
from evabench.workloads.workload import Source, Workload

BuiltInSettings = AutoencoderSettings | ClassifierSettings | LanguageSettings | SyntheticSettings | QuadraticSettings

TrivialLevels = Callable[[], tuple[TrivialLevel, ...]]

_LARGE_IMAGE = 64  # from this side on, held-out images are judged by batches of the training size


def build_model(settings: BuiltInSettings, seed: int) -> nn.Module:
    """Return the model with initial weights drawn by the seed; no checkpoint is read."""
    match settings:
        case AutoencoderSettings(widths=widths):
            return build_autoencoder(widths, seed)
        case ClassifierSettings():
            with seeded(seed):
                return _build_classifier(settings)
        case LanguageSettings():
            with seeded(seed):
                return build_gpt(settings)
        case SyntheticSettings():
            with seeded(seed):
                return build_layers(settings)
        case QuadraticSettings():
            return build_quadratic(settings, seed)[0]
        case _:
            assert_never(settings)


def initial_model(settings: BuiltInSettings, seed: int) -> nn.Module:
    """Return the model as training begins with it: its initial weights, or those of its checkpoint."""
    model = build_model(settings, seed)
    if isinstance(settings, ClassifierSettings) and settings.checkpoint is not None:
        load_weights(model, _checkpoint(settings))
    return model


def build_workload(settings: BuiltInSettings, seed: int) -> Workload:
    """Return model, objective and batches, drawn by the seed. Raises `DataError` where the data is missing."""
    match settings:
        case AutoencoderSettings(data=data, batch=batch):
            images = load_images(data)
            source: Source = InMemory(_unlabelled(images), Reconstructing(), batch=batch, seed=seed)
            levels = partial(reconstruction_levels, images.train, images.validation)
            return Workload(build_model(settings, seed), Reconstruction(), source, levels)
        case ClassifierSettings(label_smoothing=smoothing):
            return Workload(initial_model(settings, seed), Classification(smoothing), *_labelled_source(settings, seed))
        case LanguageSettings():
            splits, token_bytes = tokenize(settings, load_text(settings.data))
            windows = Windows(settings, splits, seed=seed)
            levels = partial(unigram_levels, splits["train"], splits["validation"], settings.vocabulary)
            return Workload(build_model(settings, seed), NextToken(token_bytes), windows, levels)
        case SyntheticSettings(batch=batch):
            noise = InMemory(draw_noise(settings, seed), AsTheyAre(), batch=batch, seed=seed)
            return Workload(build_model(settings, seed), Reconstruction(), noise)
        case QuadraticSettings():
            return Workload(*build_quadratic(settings, seed))
        case _:
            assert_never(settings)


def _build_classifier(settings: ClassifierSettings) -> nn.Module:
    channels, size, classes = settings.images.channels, settings.input_size, settings.num_classes
    widths = settings.hidden_widths
    match settings.model:
        case "mlp":
            return build_mlp(channels, size, widths, classes)
        case "vgg19":
            return build_vgg(channels, widths, classes)
        case "resnet20" | "resnet32" | "resnet44" | "resnet56" | "resnet110":
            return build_resnet(channels, int(settings.model.removeprefix("resnet")), widths, classes)
        case "wrn_28_10":
            return build_wide_resnet(channels, widths, classes)
        case _:
            return build_imagenet_net(settings.model, classes, size)


def _checkpoint(settings: ClassifierSettings) -> Path:
    if settings.checkpoint != STAND_IN_CHECKPOINT:
        return Path(settings.checkpoint or "")
    pretrained = replace(settings, data="imagenet", batch=1)  # of ImageNet's 1,000 classes, so that the head differs
    name = f"{settings.model}-{settings.width:g}-{settings.input_size}"
    return stand_in_checkpoint(name, lambda: build_model(replace(pretrained, image_size=settings.input_size), seed=0))


def _labelled_source(settings: ClassifierSettings, seed: int) -> tuple[Source, TrivialLevels]:
    augmentation = Augmentation(settings)
    if settings.data in ("imagenet", "imagenet_stand_in"):
        folder = require("imagenet").path if settings.data == "imagenet" else make_imagenet()
        images = ImageFolder(folder, augmentation, batch=settings.batch, seed=seed, known=settings.images)
        return images, partial(class_prior_levels, *images.labels(), settings.num_classes)
    evaluation_batch = 1000 if settings.input_size < _LARGE_IMAGE else settings.batch
    splits = _labelled(load_images(settings.data))
    source = InMemory(splits, augmentation, batch=settings.batch, seed=seed, evaluation_batch=evaluation_batch)
    return source, partial(class_prior_levels, splits["train"][1], splits["validation"][1], settings.num_classes)


def _unlabelled(images: Images) -> dict[str, tuple[Tensor, Tensor]]:
    parts = {"train": images.train, "validation": images.validation, "test": images.test}
    return {split: (part, part) for split, part in parts.items()}


def _labelled(images: Images) -> dict[str, tuple[Tensor, Tensor]]:
    assert images.train_labels is not None
    assert images.validation_labels is not None
    assert images.test_labels is not None
    return {
        "train": (images.train, images.train_labels),
        "validation": (images.validation, images.validation_labels),
        "test": (images.test, images.test_labels),
    }
