"""Exact sums of tensors' bits: whether anything in them has changed, at the cost of reading them once."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b

import torch
from torch import Tensor

from evabench.workloads.journal import DIGEST_BYTES
from evabench.workloads.workload import Batch

_INTEGERS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
_WIDE = 8  # bytes that are added at once, where a tensor is a whole number of them


@torch.no_grad()
def checksums(tensors: Iterable[Tensor]) -> tuple[int, ...]:
    """Return for each tensor the sum of its bits, read as integers; waits for a device once."""
    sums = [_widened(_bits(tensor)).sum(dtype=torch.int64) for tensor in tensors]
    return tuple(torch.stack(sums).tolist()) if sums else ()


def changed(before: Mapping[str, int], now: Mapping[str, int]) -> tuple[str, ...]:
    """Return the names under which another number stands."""
    return tuple(name for name, value in before.items() if now.get(name) != value)


def content_digest(batch: Batch) -> str:
    """Return a digest of every value of a batch."""
    found = blake2b(digest_size=DIGEST_BYTES)
    for tensor in batch:
        found.update(str((tensor.dtype, tuple(tensor.shape))).encode())
        found.update(memoryview(_bytes(tensor)))
    return found.hexdigest()


def _bits(tensor: Tensor) -> Tensor:
    values = tensor.detach()
    if values.is_complex():
        values = torch.view_as_real(values)
    values = values.contiguous()
    return values.view(_INTEGERS[values.element_size()])


def _widened(values: Tensor) -> Tensor:
    flat = values.reshape(-1)
    per = _WIDE // flat.element_size()
    return flat.view(torch.int64) if flat.numel() % per == 0 and flat.storage_offset() % per == 0 else flat


def _bytes(tensor: Tensor) -> bytes:
    array: bytes = _bits(tensor).cpu().numpy().tobytes()
    return array
