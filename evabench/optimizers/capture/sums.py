"""The sums of a layer, and how the passes that have been caught enter them."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from evabench.optimizers.capture.layout import Layout
from evabench.optimizers.capture.partial import Summed, add, finish_all, finished
from evabench.optimizers.layers.layers import Layer, Module
from evabench.settings.choices import EvaOutputGradient


@dataclass(slots=True)
class Sums:
    """Sums over the rows of all passes since the last step."""

    summed_inputs: Summed
    summed_output_gradients: Summed | None  # None where only the inputs are caught
    num_rows: int  # that were summed: the samples of `statistics_batch`
    num_examples: int  # of the whole batches: what a mean loss divides by
    num_summed_examples: int  # those that the rows belong to; an image is one, whatever its positions

    @property
    def inputs(self) -> Tensor:
        """Return the sum of the inputs."""
        return finished(self.summed_inputs)

    @property
    def output_gradients(self) -> Tensor | None:
        """Return the sum of the output gradients, None where only the inputs are caught."""
        return None if self.summed_output_gradients is None else finished(self.summed_output_gradients)


@dataclass(slots=True, eq=False)
class ForwardPass:
    """A pass that counts when its gradient comes, its rows once however often that is."""

    layer: Layer
    module: Module
    shape: torch.Size  # of the output
    inputs: Summed
    num_rows: int
    num_examples: int
    num_summed_examples: int
    layout: Layout | None = None  # None: [n, ...]
    counted_in: Sums | None = None  # the sums that its rows are part of


@dataclass(frozen=True, slots=True, eq=False)
class Caught:
    """The gradient of a forward pass, summed; None where only the inputs are caught."""

    forward: ForwardPass
    output_gradients: Summed | None


def mean_vectors(caught: Iterable[Sums], kind: EvaOutputGradient | None = None) -> list[Tensor]:
    """Return the means over the rows of the inputs, layer by layer; then, of a kind, the mean output gradients.

    With g that of the mean loss, N examples, rows r: "batch_mean" mean_r g; "per_example_mean" N mean_r g;
    "per_example" the mean over examples of N sum g over the positions of one, the mean row of K-FAC's "reduce".
    """
    caught = list(caught)
    summed = [sums.summed_inputs for sums in caught]
    factors = [1 / sums.num_rows for sums in caught]
    if kind is not None:
        gradients = [sums.summed_output_gradients for sums in caught]
        summed += [each for each in gradients if each is not None]
        factors += [_factor(sums, kind) for sums in caught]
    return list(torch._foreach_mul(finish_all(summed), factors))


def _factor(sums: Sums, kind: EvaOutputGradient) -> float:
    match kind:
        case "batch_mean":
            return 1 / sums.num_rows
        case "per_example_mean":
            return sums.num_examples / sums.num_rows
        case "per_example":
            return sums.num_examples / sums.num_summed_examples


def count(sums: dict[Layer, Sums], caught: Iterable[Caught]) -> None:
    """Add passes to the sums; there are several where a layer is used twice, or gradients are accumulated."""
    for each in caught:
        forward, known = each.forward, sums.get(each.forward.layer)
        if known is None:
            counts = (forward.num_rows, forward.num_examples, forward.num_summed_examples)
            known = Sums(forward.inputs, each.output_gradients, *counts)
            sums[forward.layer] = forward.counted_in = known
            continue
        if known.summed_output_gradients is not None and each.output_gradients is not None:
            known.summed_output_gradients = add(known.summed_output_gradients, each.output_gradients)
        # In a second backward pass through one graph only the gradients add up, as those of the parameters do.
        if forward.counted_in is not known:
            known.summed_inputs = add(known.summed_inputs, forward.inputs)
            known.num_rows += forward.num_rows
            known.num_examples += forward.num_examples
            known.num_summed_examples += forward.num_summed_examples
            forward.counted_in = known
