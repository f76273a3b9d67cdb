"""Products of weights and rows, read from the calls of torch's functions, whatever module makes them.

A weight W [d_out, d_in] may be the operand of `linear`, of a sum over one index (`einsum`) or of a convolution; W^T
stands at the right of a product of matrices in modules that are no `nn.Linear` (the `Conv1D` of transformers). A copy
in another type is the weight (`operands`). A part of a weight, or a product of another form, is another use of it. What
multiplies a parameter by a parameter computes a weight, and has no rows.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from functools import cache
from types import FunctionType
from typing import Any, NamedTuple, final

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from evabench.optimizers.capture.operands import Operand, find_operand
from evabench.optimizers.eager import runs_in_compiled_code
from evabench.optimizers.layers.layers import ConvolutionGeometry


class Product(NamedTuple):
    """A call that multiplied rows by a weight."""

    weight: nn.Parameter
    is_transposed: bool  # the weight is [d_in, d_out]
    inputs: Tensor
    bias: Tensor | None
    geometry: ConvolutionGeometry | None  # None: a product of matrices


class OtherUse(NamedTuple):
    """A call that multiplied by a weight in a way that its matrix does not describe."""

    weight: nn.Parameter


Use = Product | OtherUse
Report = Callable[[Use, Tensor], None]


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
        if runs_in_compiled_code():  # nobody looks there: it would be traced, and frozen
            return func(*args, **kwargs)
        if func is functional.multi_head_attention_forward:
            return _attention_that_reports()(self._report, *args, **kwargs)
        output = func(*args, **kwargs)
        if isinstance(output, Tensor) and kwargs.get("out") is None:
            read = _READERS.get(func)
            if read is not None:
                use = read(*args, **kwargs)
                if use is not None:
                    self._report(use, output)
            elif func in _OTHERS:
                for use in _other_uses(*args, **kwargs):
                    self._report(use, output)
        return output


def _read_linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Use | None:
    found = find_operand(weight)
    return None if found is None else _product_of(input, found, bias=bias)


def _read_matmul(input: Tensor, other: Tensor) -> Use | None:
    found = find_operand(other)
    return next(_other_uses(input), None) if found is None else _product_of_data(input, found, swaps=True)


def _read_addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Use | None:
    use = _read_matmul(mat1, mat2)
    if not isinstance(use, Product):
        return use
    return use._replace(bias=_itself(input)) if (beta, alpha) == (1, 1) else OtherUse(use.weight)


def _read_einsum(equation: object, *operands: Any) -> Use | None:
    """Read "...d,od->...o" and what means the same: one index of the rows, their last, is summed over."""
    values = operands[0] if len(operands) == 1 and isinstance(operands[0], list | tuple) else operands
    if not isinstance(equation, str) or len(values) != 2:
        return next(_other_uses(*values), None)
    indices, _, output = equation.replace(" ", "").partition("->")
    for (rows, matrix), (inputs, weight) in zip(
        (indices.split(","), indices.split(",")[::-1]), (values, values[::-1]), strict=True
    ):
        found = find_operand(weight)
        for d_out, d_in, swaps in ((matrix[:1], matrix[1:], False), (matrix[1:], matrix[:1], True)):
            fits = len(matrix) == 2 and d_out != d_in and d_out not in rows
            if found is not None and fits and rows[-1:] == d_in and output == rows[:-1] + d_out:
                return _product_of_data(inputs, found, swaps=swaps)
    return next(_other_uses(*values), None)


def _read_tensordot(a: Tensor, b: Tensor, dims: Any = 2, **_: object) -> Use | None:
    found = find_operand(b)
    if found is None or b.dim() != 2:
        return next(_other_uses(a, b), None)
    axes = ((-1,), (0,)) if dims == 1 else dims
    if not isinstance(axes, list | tuple) or [len(each) for each in axes] != [1, 1]:
        return OtherUse(found.parameter)
    (of_rows,), (of_weight,) = axes
    if of_rows not in (-1, a.dim() - 1):
        return OtherUse(found.parameter)
    return _product_of_data(a, found, swaps=of_weight % 2 == 0)


def _product_of_data(inputs: Tensor, found: Operand, *, swaps: bool) -> Use | None:
    """Return a product of matrices, unless its rows are a parameter: that of two parameters is a weight."""
    return None if _is_parameter(inputs) else _product_of(inputs, found, swaps=swaps)


def _product_of(inputs: Tensor, found: Operand, *, bias: Tensor | None = None, swaps: bool = False) -> Use:
    """Return a product of matrices; `swaps` says that a weight as it is stands there as [d_in, d_out]."""
    if not found.is_whole:
        return OtherUse(found.parameter)
    return Product(found.parameter, found.is_transposed != swaps, inputs, _itself(bias), None)


def _read_convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Use | None:
    found = find_operand(weight)
    if found is None or not found.is_whole:
        return None if found is None else OtherUse(found.parameter)
    kernel = tuple(weight.shape[2:])
    strides, dilations = (_as_tuple(each, len(kernel)) for each in (stride, dilation))
    paddings = padding if isinstance(padding, str) else _as_tuple(padding, len(kernel))
    geometry = ConvolutionGeometry(kernel, strides, paddings, dilations, groups)
    return Product(found.parameter, False, input, _itself(bias), geometry)


_READERS: Mapping[Callable[..., Any], Callable[..., Use | None]] = {
    functional.linear: _read_linear,
    torch.inner: _read_linear,
    Tensor.inner: _read_linear,
    torch.matmul: _read_matmul,
    Tensor.matmul: _read_matmul,
    Tensor.__matmul__: _read_matmul,
    torch.mm: _read_matmul,
    Tensor.mm: _read_matmul,
    torch.addmm: _read_addmm,
    Tensor.addmm: _read_addmm,
    torch.einsum: _read_einsum,
    torch.tensordot: _read_tensordot,
    torch.conv1d: _read_convolution,
    torch.conv2d: _read_convolution,
}
_OTHERS: Set[Callable[..., Any]] = {
    functional.bilinear,
    functional.embedding,
    functional.embedding_bag,
    torch.baddbmm,
    torch.bmm,
    torch.cdist,
    torch.conv3d,
    torch.conv_transpose1d,
    torch.conv_transpose2d,
    torch.convolution,
    torch.mv,
    Tensor.baddbmm,
    Tensor.bmm,
    Tensor.mv,
}


def _other_uses(*args: object, **kwargs: object) -> Iterator[OtherUse]:
    for values in _flatten((*args, *kwargs.values())):
        found = find_operand(values)
        if found is not None:
            yield OtherUse(found.parameter)


def _flatten(values: Iterable[object]) -> Iterator[object]:
    for each in values:
        yield from _flatten(each) if isinstance(each, list | tuple) else (each,)


def _is_parameter(values: Tensor) -> bool:
    """Return whether values are a parameter, or its transpose; one that is repeated for each sample is a row."""
    found = find_operand(values)
    return found is not None and values.numel() == found.parameter.numel()


def _itself(bias: Tensor | None) -> Tensor | None:
    """Return the parameter that a bias is, as it is or in another type, else the bias."""
    found = find_operand(bias)
    return found.parameter if found is not None and found.is_whole else bias


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
