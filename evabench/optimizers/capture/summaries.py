"""What is kept of a batch: sums over the rows of a layer's inputs and of its output gradients.

A row is what a weight matrix multiplies: a sample, a position of a sequence, a patch of an image. A summary is two
functions of a module, so that vectors (Eva) and factors (K-FAC) share the capture.
"""

from typing import Protocol

import torch
from torch import Tensor, nn

from evabench.optimizers.capture.partial import Partial, Summed, left_or_finished
from evabench.optimizers.capture.patches import PatchSums, SumOfRows, patch_rows
from evabench.optimizers.layers.layers import Layer, Module


class Summary(Protocol):
    """How to sum the rows of a batch; values are [n, ..., d] of a Linear, [n, c, *space] of a convolution."""

    @property
    def rows_are_samples(self) -> bool:
        """Whether a sample is one row however many positions it has."""

    @property
    def sums_are_bias_gradients(self) -> bool:
        """Whether the sum over the rows of the output gradients is what a bias gets."""

    def of_inputs(self, layer: Layer, module: Module, values: Tensor) -> Summed:
        """Return the sum over the rows of the inputs."""

    def of_output_gradients(self, layer: Layer, module: Module, values: Tensor) -> Summed:
        """Return the sum over the rows of the output gradients."""


class VectorSums:
    """The rows themselves, summed: [d_in] and [d_out], group after group, in single precision at least."""

    rows_are_samples = False
    sums_are_bias_gradients = True

    def __init__(self) -> None:
        self._sum_rows = SumOfRows()
        self._patch_sums = PatchSums(self._sum_rows)

    def of_inputs(self, layer: Layer, module: Module, values: Tensor) -> Summed:
        """Return [groups * d_in] without a row for the bias: its mean is 1."""
        if isinstance(module, nn.Linear):
            return self._sum_rows(input_rows(module, values))
        return self._patch_sums.begin(values, module)

    def of_output_gradients(self, layer: Layer, module: Module, values: Tensor) -> Summed:
        """Return [d_out]."""
        if isinstance(module, nn.Linear) or not values.is_contiguous():
            return self._sum_rows(gradient_rows(module, values))
        return left_or_finished(Partial(values.flatten(2).sum(2, dtype=_sum_type(values))), values.numel())


def input_rows(module: Module, values: Tensor) -> Tensor:
    """Return [rows, d_in], or [groups, rows, d_in]; of a convolution every patch is a row."""
    return values.flatten(0, -2) if isinstance(module, nn.Linear) else patch_rows(values, module)


def gradient_rows(module: Module, values: Tensor) -> Tensor:
    """Return [rows, d_out] of the gradient of the output."""
    if isinstance(module, nn.Linear):
        return values.flatten(0, -2)
    if values.is_contiguous():
        return values.transpose(0, 1).flatten(1).T  # image by image, where rows in memory would go number by number
    return values.movedim(1, -1).flatten(0, -2)


def _sum_type(values: Tensor) -> torch.dtype:
    return torch.float64 if values.dtype == torch.float64 else torch.float32
