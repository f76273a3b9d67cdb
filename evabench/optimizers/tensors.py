"""Tensors as the optimizers take them: in full precision, dense, as matrices."""

import torch
from torch import Tensor
from torch.utils._python_dispatch import is_traceable_wrapper_subclass


def in_memory_order(values: Tensor) -> list[int]:
    """Return the axes but the first, in the order of the memory: of a channels-last tensor the channels come last."""
    strides = values.stride()
    return sorted(range(1, values.dim()), key=lambda axis: -strides[axis])


def in_full_precision(values: Tensor) -> Tensor:
    """Return values in at least single precision: themselves, but for half precision."""
    return values.float() if values.dtype in (torch.bfloat16, torch.float16) else values


def dense_like(values: Tensor, parameter: Tensor) -> Tensor:
    """Return values in the memory layout of the parameter: themselves, unless it differs.

    Gradients share the layout of their parameter unless somebody set them by hand; fused kernels rely on it.
    """
    strides, expected = values.stride(), parameter.stride()
    if strides == expected:
        return values
    layouts = zip(parameter.shape, strides, expected, strict=True)
    if all(size == 1 or mine == other for size, mine, other in layouts):
        return values
    return torch.empty_like(parameter, dtype=values.dtype).copy_(values)


def statistic_type(parameter: Tensor) -> torch.dtype:
    """Return the type of a parameter's statistics: its own, but single precision for half precision."""
    return torch.promote_types(parameter.dtype, torch.float32)


def is_wider(values: Tensor) -> bool:
    """Return whether values are in double precision, which no statistics of others have."""
    return values.dtype is torch.float64


def as_matrix(values: Tensor) -> tuple[Tensor, list[int]]:
    """Return values of any order as [d_0, rest] without a copy, and the axes that make up the rest, in their order.

    The columns come in the order of the memory: of a channels-last kernel the channels vary fastest.
    """
    axes = in_memory_order(values)
    return values.permute(0, *axes).flatten(1), axes


def as_plain(values: Tensor) -> Tensor:
    """Return values as a `torch.Tensor` where their class only says how functions treat them: it is the user's."""
    kind = type(values)
    if kind is Tensor or kind.__torch_dispatch__ is not Tensor.__torch_dispatch__:
        return values
    return values.as_subclass(Tensor)


def is_wrapper(values: Tensor) -> bool:
    """Return whether values are several tensors behind one: nested, sharded or of another class that wraps."""
    return type(values) is not Tensor and (values.is_nested or is_traceable_wrapper_subclass(values))


def why_no_rows(inputs: Tensor, output: Tensor) -> str:
    """Return why the inputs of a product, or its output, are no rows in one dense tensor; empty: they are."""
    if is_wrapper(inputs) or is_wrapper(output):
        return f"its inputs are {type(inputs).__name__}s, whose rows are not one tensor: pass padded ones"
    if inputs.layout is not torch.strided:
        return f"its inputs have the layout {inputs.layout}: pass dense ones"
    return ""


def in_single_precision(values: Tensor) -> Tensor:
    """Return values in single precision at least: themselves, or a copy of what is in half precision."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
