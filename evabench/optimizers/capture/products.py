"""Products of weights and rows, read from the calls of torch's functions, whatever module makes them.

A weight W [d_out, d_in] may be the operand of `linear` or of a convolution; W^T stands at the right of a product of
matrices in modules that are no `nn.Linear` (the `Conv1D` of transformers). What a view of a part of a weight multiplies
is no product of the weight.
"""

from collections.abc import Callable, Mapping
from functools import cache
from types import FunctionType
from typing import Any, NamedTuple, final

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from evabench.optimizers.layers.layers import ConvolutionGeometry


class Product(NamedTuple):
    """A call that multiplied rows by a weight."""

    weight: nn.Parameter
    is_transposed: bool  # the weight is [d_in, d_out]
    inputs: Tensor
    bias: Tensor | None
    geometry: ConvolutionGeometry | None  # None: a product of matrices


Report = Callable[[Product, Tensor], None]


@final
class ProductMode(TorchFunctionMode):
    """Reports the products that run inside, with their outputs."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self._report = report

    def __torch_function__(
        self, func: Callable[..., Any], types: object, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Call a function of torch; a weight may be multiplied by in it."""
        kwargs = kwargs or {}
        if func is functional.multi_head_attention_forward:
            return _attention_that_reports()(self._report, *args, **kwargs)
        output = func(*args, **kwargs)
        read = _READERS.get(func)
        product = None if read is None or "out" in kwargs else read(*args, **kwargs)
        if product is not None and isinstance(output, Tensor):
            self._report(product, output)
        return output


def _read_linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Product | None:
    found = _find_parameter(weight)
    if found is None:
        return None
    parameter, is_transposed = found
    return Product(parameter, is_transposed, input, bias, None)


def _read_matmul(input: Tensor, other: Tensor) -> Product | None:
    found = _find_parameter(other)
    if found is None:
        return None
    parameter, is_transposed = found
    return Product(parameter, not is_transposed, input, None, None)


def _read_addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Product | None:
    if (beta, alpha) != (1, 1):
        return None
    product = _read_matmul(mat1, mat2)
    return None if product is None else product._replace(bias=input)


def _read_convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Product | None:
    if not isinstance(weight, nn.Parameter):
        return None
    kernel = tuple(weight.shape[2:])
    strides, dilations = (_as_tuple(each, len(kernel)) for each in (stride, dilation))
    paddings = padding if isinstance(padding, str) else _as_tuple(padding, len(kernel))
    geometry = ConvolutionGeometry(kernel, strides, paddings, dilations, groups)
    return Product(weight, False, input, bias, geometry)


_READERS: Mapping[Callable[..., Any], Callable[..., Product | None]] = {
    functional.linear: _read_linear,
    torch.matmul: _read_matmul,
    Tensor.matmul: _read_matmul,
    Tensor.__matmul__: _read_matmul,
    torch.mm: _read_matmul,
    Tensor.mm: _read_matmul,
    torch.addmm: _read_addmm,
    torch.conv1d: _read_convolution,
    torch.conv2d: _read_convolution,
}


def _find_parameter(operand: Tensor) -> tuple[nn.Parameter, bool] | None:
    """Return the parameter that an operand is, or whose transpose it is."""
    if isinstance(operand, nn.Parameter):
        return operand, False
    base = operand._base
    if isinstance(base, nn.Parameter) and base.dim() == operand.dim() == 2:
        same_place = operand.storage_offset() == base.storage_offset()
        if same_place and operand.shape == base.T.shape and operand.stride() == base.T.stride():
            return base, True
    return None


def _as_tuple(value: Any, length: int) -> tuple[int, ...]:
    return (int(value),) * length if isinstance(value, int) else tuple(int(each) for each in value)


@cache
def _attention_that_reports() -> Callable[..., Any]:
    """Return torch's attention with its first argument told of the products in it.

    A mode sees the attention as one call. This one is a copy of torch's own code, with another `linear`.
    """
    running: list[Report] = []

    def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        output = functional.linear(input, weight, bias)
        product = _read_linear(input, weight, bias)
        if product is not None:
            running[-1](product, output)
        return output

    names: dict[str, Any] = dict(vars(functional))
    names |= {"linear": linear, "has_torch_function": lambda tensors: False}
    for name in ("_in_projection_packed", "_in_projection", "multi_head_attention_forward"):
        original = getattr(functional, name)
        copy = FunctionType(original.__code__, names, name, original.__defaults__, original.__closure__)
        copy.__kwdefaults__ = original.__kwdefaults__
        names[name] = copy
    attend = names["multi_head_attention_forward"]

    def reporting(report: Report, *args: Any, **kwargs: Any) -> Any:
        running.append(report)
        try:
            return attend(*args, **kwargs)
        finally:
            running.pop()

    return reporting
