"""A workload of the right shape without its data: one batch of noise. For bytes and seconds, never for a loss."""

from typing import assert_never

import torch

from evabench.settings.autoencoders import AutoencoderSettings
from evabench.settings.classifiers import ClassifierSettings
from evabench.settings.language import LanguageSettings
from evabench.settings.quadratics import QuadraticSettings
from evabench.settings.synthetic import SyntheticSettings
from evabench.workloads.build import BuiltInSettings, build_model
from evabench.workloads.objectives import Classification, NextToken, Objective, Reconstruction
from evabench.workloads.one_batch import OneBatch
from evabench.workloads.quadratic import build_quadratic
from evabench.workloads.workload import Batch, Workload


def build_on_noise(settings: BuiltInSettings, seed: int) -> Workload:
    """Return the model with its initial weights on noise. Runs under `FakeTensorMode` too: then nothing is computed."""
    model = build_model(settings, seed)
    batch, objective = _batch(settings)
    return Workload(model, objective, OneBatch(batch))


def _batch(settings: BuiltInSettings) -> tuple[Batch, Objective]:
    match settings:
        case AutoencoderSettings(widths=widths, batch=batch):
            images = torch.rand(batch, widths[0])
            return Batch(images, images), Reconstruction()
        case ClassifierSettings(batch=batch, input_size=side):
            images = torch.rand(batch, settings.images.channels, side, side)
            labels = torch.randint(settings.num_classes, (batch,))
            return Batch(images, labels), Classification(settings.label_smoothing)
        case LanguageSettings(batch=batch, context=context):
            tokens = torch.randint(settings.vocabulary, (2, batch, context))
            return Batch(tokens[0], tokens[1]), NextToken(None)
        case SyntheticSettings(batch=batch, width=width):
            shape = (batch, width) if settings.layer == "linear" else (batch, width, *(settings.image_size,) * 2)
            noise = torch.rand(shape)
            return Batch(noise, noise), Reconstruction()
        case QuadraticSettings():
            _, problem, samples = build_quadratic(settings, seed=0)
            return samples.batch, problem
        case _:
            assert_never(settings)
