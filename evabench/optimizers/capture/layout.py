"""Where the samples of a batch are in the tensors of a product of matrices."""

from typing import NamedTuple

from torch import Tensor, nn


class Layout(NamedTuple):
    """How a product has laid out its rows, other than [n, ..., d]."""

    axes: tuple[int, ...]  # of what was flattened into rows, [rows, d]; empty where nothing was
    batch_axis: int  # 1 where time comes first

    def arrange(self, values: Tensor) -> Tensor:
        """Return values as [n, ..., d]."""
        if self.axes and values.dim() == 2:
            values = values.view(*self.axes, values.shape[-1])
        return values.transpose(0, 1) if self.batch_axis == 1 and values.dim() > 2 else values


def find_layout(module: nn.Module, given: tuple[int, ...], num_rows: int, dims: int, batch_axis: int) -> Layout:
    """Return the layout of a product of `num_rows` rows in a module that was given a tensor of this shape."""
    if isinstance(module, nn.MultiheadAttention):  # time first inside, whatever it was given
        length, num_samples = given[:2] if len(given) == 3 else (given[0], 1)
        if module.batch_first and len(given) == 3:
            length, num_samples = num_samples, length
        return Layout((length, num_samples) if length * num_samples == num_rows else (), 1)
    flattened = 1
    for size in given[:-1]:
        flattened *= size
    is_flattened = dims == 2 and len(given) > 2 and flattened == num_rows
    return Layout(given[:-1] if is_flattened else (), batch_axis)
