"""A weighted least-squares problem whose Hessian, optimum and excess loss are known exactly.

    L(W) = 1 / (2 n) sum (W x - y)^T M (W x - y),    y = W* x + e,    Hessian = A (x) M

Inputs and noise are columns of one orthonormal basis of the samples, so that A = mean of x x^T and the covariance
M^-1 of e are exact, e is orthogonal to x, and W* is the optimum of the sample itself.
"""

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from evabench.settings.quadratics import QuadraticSettings
from evabench.workloads.objectives import Totals
from evabench.workloads.one_batch import OneBatch
from evabench.workloads.seeds import seeded
from evabench.workloads.workload import Batch


@final
@dataclass(frozen=True, slots=True)
class Quadratic:
    """The problem, as an objective."""

    second_moment: Tensor  # A [inputs, inputs]
    weighting: Tensor  # M [outputs, outputs]
    optimum: Tensor  # W* [outputs, inputs]

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return L, at the optimum outputs / 2: that of the noise."""
        residuals = outputs - targets
        return 0.5 * ((residuals @ self.weighting) * residuals).sum(1).mean()

    def add(self, totals: Totals, outputs: Tensor, targets: Tensor) -> None:
        """Weigh a batch by its samples."""
        totals.add(self.loss(outputs, targets), len(targets))

    def excess(self, weight: Tensor) -> Tensor:
        """Return L(W) - L(W*) without subtracting them: 1/2 tr(M (W - W*) A (W - W*)^T)."""
        error = weight.detach() - self.optimum
        return 0.5 * ((self.weighting @ error @ self.second_moment) * error).sum()


def build_quadratic(settings: QuadraticSettings, seed: int) -> tuple[nn.Linear, Quadratic, OneBatch]:
    """Return a layer of zeros, the problem that the seed draws, and its samples."""
    num_inputs, num_outputs, num_samples = settings.inputs, settings.outputs, settings.samples
    small = settings.condition**-0.5
    with seeded(seed):
        drawn = torch.randn(num_samples, num_inputs + num_outputs + 1, dtype=torch.float64)
        optimum = torch.randn(num_outputs, num_inputs, dtype=torch.float64)
        input_axes, output_axes = _rotation(num_inputs), _rotation(num_outputs)
        model = nn.Linear(num_inputs, num_outputs, bias=False, dtype=torch.float64)
    nn.init.zeros_(model.weight)
    drawn[:, 0] = 1.0  # the constant comes first in the basis: all other columns have the mean zero
    basis = num_samples**0.5 * torch.linalg.qr(drawn).Q
    begin = 0 if settings.mean == "spike" else 1
    input_values, output_values = _spiked(num_inputs, small), _spiked(num_outputs, small)
    inputs = basis[:, begin : begin + num_inputs] * input_values.sqrt() @ input_axes.T
    noise = basis[:, -num_outputs:] / output_values.sqrt() @ output_axes.T
    problem = Quadratic(
        second_moment=(input_axes * input_values) @ input_axes.T,
        weighting=(output_axes * output_values) @ output_axes.T,
        optimum=optimum,
    )
    return model, problem, OneBatch(Batch(inputs, inputs @ optimum.T + noise))


def _spiked(size: int, small: float) -> Tensor:
    values = torch.full((size,), small, dtype=torch.float64)
    values[0] = 1.0
    return values


def _rotation(size: int) -> Tensor:
    rotation: Tensor = torch.linalg.qr(torch.randn(size, size, dtype=torch.float64)).Q
    return rotation
