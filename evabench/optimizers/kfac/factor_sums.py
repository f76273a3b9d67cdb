"""What K-FAC and FOOF keep of a batch: sums of the outer products of rows.

Legend: N samples with R positions each (of a sequence, or of a convolution's output); a and g the input and the output
gradient at one position, g that of the mean loss.

    expand   every position is a row:                     a,          g
    reduce   a sample is a row:                     mean_R a,    sum_R g
"""

from math import sqrt
from typing import final

from torch import Tensor, nn

from evabench.optimizers.capture.patch_products import add_patch_products_
from evabench.optimizers.capture.patches import Convolution, PatchSums, num_patches
from evabench.optimizers.capture.summaries import gradient_rows, input_rows
from evabench.optimizers.capture.windows import PatchMeans
from evabench.optimizers.layers.layers import Layer, Module
from evabench.optimizers.outer_products import sum_outer_products
from evabench.optimizers.tensors import in_full_precision
from evabench.settings.choices import OutputGradient, WeightSharing


@final
class FactorSums:
    """Sums of r r^T over the rows r: [d_in, d_in] with a trailing 1 for a bias, and [d_out, d_out].

    A group of a convolution has factors of its own: [groups, d, d]. Source: Eschenhagen et al., arXiv:2311.00636. Of
    "expand" and a convolution with "per_example" the sum over the output gradients has a factor R: the mean over the
    rows is then the mean over examples of the sum over positions, as Grosse & Martens have it (arXiv:1602.01407).
    "batch_mean" averages over positions as over samples, as the authors do.
    """

    def __init__(self, weight_sharing: WeightSharing, output_gradient: OutputGradient = "per_example") -> None:
        self.weight_sharing = weight_sharing
        self.output_gradient = output_gradient
        self.rows_are_samples = weight_sharing == "reduce"
        self.sums_are_bias_gradients = False
        self._patch_means = PatchMeans()
        self._patch_sums = PatchSums()

    def of_inputs(self, layer: Layer, module: Module, values: Tensor) -> Tensor:
        """Return the sum over the rows of the inputs."""
        if self.weight_sharing == "reduce" or isinstance(module, nn.Linear):
            return sum_outer_products(self.input_rows(layer, module, values))
        return self._of_patches(layer, module, in_full_precision(values))

    def of_output_gradients(self, layer: Layer, module: Module, values: Tensor) -> Tensor:
        """Return the sum over the rows of the output gradients."""
        rows, weight = self._weighted_rows(layer, module, values)
        summed = sum_outer_products(rows)
        return summed if weight == 1 else summed.mul_(weight)

    def input_rows(self, layer: Layer, module: Module, values: Tensor) -> Tensor:
        """Return [rows, d_in], or [groups, rows, d_in], with a trailing 1 for a bias."""
        rows = self._input_rows(module, in_full_precision(values))
        return rows if layer.bias is None else nn.functional.pad(rows, (0, 1), value=1.0)

    def output_gradient_rows(self, layer: Layer, module: Module, values: Tensor) -> Tensor:
        """Return [rows, d_out], or [groups, rows, d_out]."""
        rows, weight = self._weighted_rows(layer, module, values)
        return rows * sqrt(weight)

    def _weighted_rows(self, layer: Layer, module: Module, values: Tensor) -> tuple[Tensor, float]:
        """Return rows, and what multiplies their outer products: cheaper than to multiply the rows by its root."""
        values = in_full_precision(values)
        weight = 1.0
        if self.weight_sharing == "reduce":
            rows = _over_positions(module, values, "sum" if self.output_gradient == "per_example" else "mean")
        else:
            rows = gradient_rows(module, values)
            if self.output_gradient == "per_example" and not isinstance(module, nn.Linear):
                weight = rows.shape[0] / values.shape[0]
        if layer.num_groups > 1:
            rows = rows.view(rows.shape[0], layer.num_groups, -1).transpose(0, 1)
        return rows, weight

    def _of_patches(self, layer: Layer, convolution: Convolution, values: Tensor) -> Tensor:
        """Return the sum over the rows of a convolution's inputs, which are not formed."""
        groups = () if layer.num_groups == 1 else (layer.num_groups,)
        d = layer.weight[0].numel()
        side = d if layer.bias is None else d + 1
        summed = values.new_zeros(*groups, side, side)
        add_patch_products_(summed[..., :d, :d], values, convolution)
        if layer.bias is not None:
            patches = self._patch_sums(values, convolution).view(*groups, d)
            summed[..., :d, d] = patches
            summed[..., d, :d] = patches
            summed[..., d, d] = num_patches(values, convolution)
        return summed

    def _input_rows(self, module: Module, values: Tensor) -> Tensor:
        if self.weight_sharing == "expand":
            return input_rows(module, values)
        if isinstance(module, nn.Linear):
            return _over_positions(module, values, "mean")
        return self._patch_means(values, module)


def _over_positions(module: Module, values: Tensor, how: str) -> Tensor:
    """Return [n, d]: the sum or mean over the positions of a sample."""
    if values.dim() == 2:
        return values
    flat, axis = (values.flatten(1, -2), 1) if isinstance(module, nn.Linear) else (values.flatten(2), 2)
    return flat.sum(axis) if how == "sum" else flat.mean(axis)
