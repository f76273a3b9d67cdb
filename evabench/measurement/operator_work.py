"""The work of one operator, from the shapes of what it takes and returns: flops, and bytes read and written.

A multiply-add is two flops. Matrix products, convolutions and attention are counted as torch's own flop counter does;
what that leaves out is below:

    matrix-vector, outer product     2 m n          Cholesky of [n, n]                n^3 / 3 + n^2 / 2 + n / 6
    dot product, norm                2 n            its inverse from the factor       2 n^3 / 3 + n^2 / 2 + 5 n / 6
    LU                               2 n^3 / 3 - n^2 / 2 + 5 n / 6
    solve with the factor, k columns 2 n^2 k
    inverse                          2 n^3          triangular solve, k columns       n^2 k
    general solve, k columns         2 n^3 / 3 + 2 n^2 k
    eigenvectors, symmetric          9 n^3          (Golub & Van Loan, Matrix Computations, 4th ed., 8.3)
    QR of [m, n]                     4 n^2 (m - n / 3), with Q

Cholesky, its inverse and LU have all their terms (LAPACK Working Note 41, appendix C): whole numbers for every n, so
that a count is an exact polynomial in the width.

One update of a fused optimizer is 6 flops per value for SGD, 15 for Adam. Copies are none. Everything else is one per
value of its largest operand, lists being the sum of their members.
"""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from evabench.units import Bytes

_Formula = Callable[[Sequence[Any], Any], int]  # of the arguments and the results

# Neither a kernel nor a copy: memory as it comes, other names for memory, a number on its way to the host, or on it.
_NO_WORK = frozenset(
    {
        "empty",
        "empty_like",
        "empty_strided",
        "empty_permuted",
        "new_empty",
        "new_empty_strided",
        "_unsafe_view",
        "lift_fresh",
        "record_stream",
        "resize_",
        "set_",
        "is_pinned",
        "is_same_size",
        "promote_types",
        "result_type",
        "scalar_tensor",
        "_local_scalar_dense",
    }
)
_COPIES = frozenset(
    {
        "_foreach_copy_",
        "_foreach_zero_",
        "_pin_memory",
        "_to_copy",
        "cat",
        "clone",
        "constant_pad_nd",
        "copy_",
        "embedding",
        "fill_",
        "flip",
        "full",
        "full_like",
        "gather",
        "im2col",
        "index",
        "index_select",
        "index_copy_",
        "new_zeros",
        "new_full",
        "new_ones",
        "ones",
        "ones_like",
        "repeat",
        "roll",
        "select_backward",
        "slice_backward",
        "split_with_sizes_copy",
        "stack",
        "tril",
        "triu",
        "zero_",
        "zeros",
        "zeros_like",
    }
)
_WRITES_ONLY = frozenset({"copy_", "fill_", "zero_", "_foreach_copy_", "_foreach_zero_"})
# The host has to know the result, or a shape that follows from it, or torch's kernel for CUDA asks before it returns.
_HOST_READS = frozenset(
    {
        "_linalg_eigh",
        "_linalg_svd",
        "_local_scalar_dense",
        "_unique2",
        "equal",
        "linalg_eig",
        "masked_select",
        "nonzero",
        "unique_consecutive",
        "unique_dim",
    }
)


def name_of(operator: Any) -> str:
    """Return "add" of `aten.add.Tensor`; operators of other libraries keep its name, "mine::add"."""
    namespace, _, name = str(operator.overloadpacket._qualified_op_name).partition("::")
    return name if namespace == "aten" else f"{namespace}::{name}"


def computes(operator: Any) -> bool:
    """Return whether something is to be done on the device: not for a view, nor for empty memory."""
    name = name_of(operator)
    return not operator.is_view and name not in _NO_WORK and not name.startswith("profiler::")


def reads_on_host(operator: Any, arguments: Any, results: Any, device_kind: str = "cpu") -> bool:
    """Return whether the host waits for the device; on a CPU, whether it would where the device is another one."""
    come = [leaf.device.type for leaf in tree_leaves(arguments) if isinstance(leaf, Tensor)]
    if name_of(operator) in _HOST_READS:
        return device_kind == "cpu" or any(kind != "cpu" for kind in come)
    if name_of(operator) not in {"_to_copy", "copy_"}:
        return False
    gone = [leaf.device.type for leaf in tree_leaves(results) if isinstance(leaf, Tensor)]
    return any(kind != "cpu" for kind in come) and "cpu" in gone


def flops_of(operator: Any, arguments: Sequence[Any], options: dict[str, Any], results: Any) -> int | None:
    """Return the operations of one call; None where it is linear algebra that no formula is written for."""
    name = name_of(operator)
    if name in _COPIES:
        return 0
    known = flop_registry.get(operator.overloadpacket)
    if known is not None:
        return int(known(*arguments, **options, out_val=results))
    if name in _FORMULAS:
        return _FORMULAS[name](arguments, results)
    if name.startswith(("linalg_", "_linalg_", "cholesky", "lu_", "ormqr", "geqrf")):
        return None
    return elements_of((arguments, options), results)


def elements_of(arguments: Any, results: Any) -> int:
    """Return the values of the largest operand; of lists, the sum over their members."""
    lists = [*_lists(arguments), *_lists(results)]
    if lists:
        length = max(map(len, lists))
        members = [[one[index] for one in lists if len(one) == length] for index in range(length)]
        return sum(max(tensor.numel() for tensor in same) for same in members)
    every = [leaf.numel() for leaf in tree_leaves((arguments, results)) if isinstance(leaf, Tensor)]
    return max(every, default=0)


def moved_bytes(operator: Any, arguments: Sequence[Any], options: dict[str, Any], results: Any) -> Bytes:
    """Return the bytes that an operator reads and writes. A value that is repeated by a stride of 0 counts once."""
    written_to: list[Any] = []
    read: list[Any] = []
    writes_only = name_of(operator) in _WRITES_ONLY
    for argument, value in zip(operator._schema.arguments, arguments, strict=False):
        info = argument.alias_info
        writes = info is not None and info.is_write
        if writes:
            written_to.append(value)
        if not (writes and writes_only):
            read.append(value)
    for argument in operator._schema.arguments:
        if argument.name in options:
            written = argument.alias_info is not None and argument.alias_info.is_write
            (written_to if written else read).append(options[argument.name])
    # What was written in place is returned as well, and is no second result.
    addresses = {tensor.data_ptr() for tensor in _tensors(written_to)}
    made = [tensor for tensor in _tensors(results) if not written_to or tensor.data_ptr() not in addresses]
    return sum(_bytes(tensor) for tensor in (*_tensors(read), *_tensors(written_to), *made))


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def _lists(tree: Any) -> list[list[Tensor]]:
    values = tree if isinstance(tree, list | tuple) else (tree,)
    found = []
    for value in values:
        if isinstance(value, list) and value and all(isinstance(one, Tensor) for one in value):
            found.append(value)
        elif isinstance(value, tuple):
            found += _lists(value)
    return found


def _bytes(tensor: Tensor) -> Bytes:
    values = 1
    for size, stride in zip(tensor.shape, tensor.stride(), strict=True):
        values *= size if stride or size == 0 else 1
    return values * tensor.element_size()


def _matrices(tensor: Tensor) -> int:
    return max(1, tensor.shape[:-2].numel())


def _sixths(cubic: int, quadratic: int, linear: int) -> _Formula:
    """Return a polynomial in the length of square matrices, by its coefficients times 6."""

    def formula(arguments: Sequence[Any], results: Any) -> int:
        n = int(arguments[0].shape[-1])
        return _matrices(arguments[0]) * (cubic * n**3 + quadratic * n**2 + linear * n) // 6

    return formula


def _columns(tensor: Tensor, matrix: Tensor) -> int:
    return int(tensor.shape[-1]) if tensor.ndim >= matrix.ndim else 1


def _triangular_solve(arguments: Sequence[Any], results: Any) -> int:
    matrix, right = arguments[0], arguments[1]
    return _matrices(right) * int(matrix.shape[-1]) * int(right.shape[-2]) * int(right.shape[-1])


def _cholesky_solve(arguments: Sequence[Any], results: Any) -> int:
    right, factor = arguments[0], arguments[1]
    return 2 * _matrices(right) * int(factor.shape[-1]) ** 2 * int(right.shape[-1])


def _general_solve(arguments: Sequence[Any], results: Any) -> int:
    matrix, right = arguments[0], arguments[1]
    n = int(matrix.shape[-1])
    return round(_matrices(matrix) * (2 / 3 * n**3 + 2 * n**2 * _columns(right, matrix)))


def _qr(arguments: Sequence[Any], results: Any) -> int:
    m, n = map(int, arguments[0].shape[-2:])
    k = min(m, n)
    return round(_matrices(arguments[0]) * 4 * k**2 * (max(m, n) - k / 3))


def _twice_the_largest(arguments: Sequence[Any], results: Any) -> int:
    return 2 * elements_of(arguments, results)


def _per_value(flops: int) -> _Formula:
    return lambda arguments, results: flops * sum(tensor.numel() for tensor in arguments[0])


def _attention(products: int) -> _Formula:
    """Return so many products of queries and keys; what a causal kernel saves is not subtracted."""

    def formula(arguments: Sequence[Any], results: Any) -> int:
        query, key = (arguments[1], arguments[2]) if products > 2 else (arguments[0], arguments[1])
        batch_and_heads, length, width = query.shape[:-2].numel(), query.shape[-2], query.shape[-1]
        return 2 * products * int(batch_and_heads * length * width * key.shape[-2])

    return formula


_FORMULAS: dict[str, _Formula] = {
    "mv": _twice_the_largest,
    "addmv": _twice_the_largest,
    "addmv_": _twice_the_largest,
    "addr": _twice_the_largest,
    "addr_": _twice_the_largest,
    "dot": _twice_the_largest,
    "vdot": _twice_the_largest,
    "linalg_vector_norm": _twice_the_largest,
    "_foreach_norm": _twice_the_largest,
    "linalg_cholesky_ex": _sixths(2, 3, 1),
    "cholesky": _sixths(2, 3, 1),
    "cholesky_inverse": _sixths(4, 3, 5),
    "cholesky_solve": _cholesky_solve,
    "_cholesky_solve_helper": _cholesky_solve,
    "linalg_solve_triangular": _triangular_solve,
    "linalg_lu_factor_ex": _sixths(4, -3, 5),
    "linalg_inv_ex": _sixths(12, 0, 0),
    "_linalg_solve_ex": _general_solve,
    "_linalg_eigh": _sixths(54, 0, 0),
    "linalg_qr": _qr,
    "_fused_sgd_": _per_value(6),
    "_fused_adam_": _per_value(15),
    "_fused_adamw_": _per_value(15),
    "_scaled_dot_product_flash_attention_for_cpu": _attention(2),
    "_scaled_dot_product_flash_attention_for_cpu_backward": _attention(5),
}
