"""The nodes of autograd that made the outputs of products."""

from collections.abc import Mapping

from torch import Tensor

# Which input of the nodes of products is the bias: its gradient is the sum of the output's over all rows.
BIASES: Mapping[str, int] = {"AddmmBackward0": 0, "ConvolutionBackward0": 2}


def below_views(output: Tensor) -> Tensor:
    """Return the tensor that an output is all of, in another shape: an activation in place would hide the view.

    torch flattens the rows of a Linear with more than two axes, and has a Conv1d be one of images.
    """
    base = output._base
    if base is None or not base.requires_grad or base.numel() != output.numel():
        return output
    return base if base.is_contiguous() and output.is_contiguous() else output
