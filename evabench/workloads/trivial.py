"""What predictors without a net reach on the validation split, fitted to the training split of the same data.

They are computed in the child that trains, outside its clock, because only the child has the data.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from evabench.records.trivial import TrivialLevel
from evabench.workloads.in_memory import to_float

# A principal component of so many samples has, on Fashion-MNIST, the loss of one of all samples to three digits.
_COMPONENT_SAMPLES = 10_000
_CHUNK = 10_000  # samples that are floats at a time


def reconstruction_levels(train: Tensor, validation: Tensor) -> tuple[TrivialLevel, ...]:
    """Return the mean squared errors of the mean of the samples, and of that with one principal component.

    Samples are [n, d], bytes or floats. With the residual r = x - mean and the component v, |v| = 1:

        mean |r|^2 / d      mean (|r|^2 - (r v)^2) / d

    Costs the eigenvectors of a [d, d] covariance of 10,000 samples.
    """
    mean = torch.stack([part.sum(0, dtype=torch.float64) for part in _floats(train)]).sum(0) / len(train)
    residuals = _as_float(train[:_COMPONENT_SAMPLES]) - mean.float()
    component = torch.linalg.eigh((residuals.T @ residuals).double()).eigenvectors[:, -1]
    squares = along = 0.0
    for part in _floats(validation):
        held_out = part.double() - mean
        squares += float(held_out.square().sum())
        along += float((held_out @ component).square().sum())
    size = validation.numel()
    return (
        TrivialLevel(name="the mean of the samples", validation_loss=squares / size),
        TrivialLevel(name="one principal component", validation_loss=(squares - along) / size, is_constant=False),
    )


def class_prior_levels(train: Tensor, validation: Tensor, num_classes: int) -> tuple[TrivialLevel, ...]:
    """Return the cross-entropy of the shares of the classes; labels are [n]."""
    return (TrivialLevel(name="the shares of the classes", validation_loss=_cross(train, validation, num_classes)),)


def unigram_levels(train: Tensor, validation: Tensor, vocabulary: int) -> tuple[TrivialLevel, ...]:
    """Return the cross-entropy of the frequencies of the tokens, in nats per token."""
    return (TrivialLevel(name="the frequencies of the tokens", validation_loss=_cross(train, validation, vocabulary)),)


def _cross(train: Tensor, validation: Tensor, num_kinds: int) -> float:
    """Return the mean -log p of the validation labels, p counted in training; each kind counts once more.

    The one more (Laplace's) keeps a kind that training never saw from making the loss infinite.
    """
    counts = torch.bincount(train.flatten().long(), minlength=num_kinds).double() + 1
    log_shares = (counts / counts.sum()).log()
    return float(-log_shares[validation.flatten().long()].mean())


def _floats(samples: Tensor) -> Iterator[Tensor]:
    return (_as_float(part) for part in torch.split(samples, _CHUNK))


def _as_float(samples: Tensor) -> Tensor:
    return to_float(samples) if samples.dtype == torch.uint8 else samples
