"""Parameters, buffers and the state of an optimizer at one moment, to be put back in place.

Timed steps are made at the arm's own rate, so they train. Each timed block starts from the same moment, whatever the
one before it has done. Tensors keep their place in memory: a step that finds them elsewhere need not take as long.
"""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

Restore = Callable[[Any], Any]  # what stands there now -> what has to stand there


class Snapshot:
    """Copies lie in the host's memory, so that a device need not hold a net twice.

    What an optimizer keeps outside its `state` and `param_groups` is left alone.
    """

    @torch.no_grad()
    def __init__(self, model: nn.Module, optimizer: Optimizer) -> None:
        self._optimizer = optimizer
        self._tensors = [(tensor, _copy(tensor)) for tensor in (*model.parameters(), *model.buffers())]
        self._state = {key: _restoring(value) for key, value in optimizer.state.items()}
        self._groups = [
            {name: _restoring(value) for name, value in group.items() if name != "params"}
            for group in optimizer.param_groups
        ]

    @torch.no_grad()
    def restore(self) -> None:
        """Put everything back; what came later is forgotten."""
        for tensor, saved in self._tensors:
            tensor.copy_(saved)
        state = self._optimizer.state
        for key in [key for key in state if key not in self._state]:
            del state[key]
        for key, restore in self._state.items():
            state[key] = restore(state.get(key))
        for group, saved_group in zip(self._optimizer.param_groups, self._groups, strict=False):
            for name, restore in saved_group.items():
                group[name] = restore(group.get(name))


def _restoring(value: Any) -> Restore:
    """Return what puts back a value as it is now, where they are there into the containers and tensors of now."""
    if isinstance(value, Tensor):
        return _restoring_tensor(value)
    if isinstance(value, dict):
        return _restoring_dict(value)
    if isinstance(value, list):
        return _restoring_list(value)
    if type(value) is tuple:
        parts = [_restoring(part) for part in value]
        return lambda now: tuple(
            restore(part) for restore, part in zip(parts, _as_long(now, tuple, len(parts)), strict=True)
        )
    try:
        saved = copy.deepcopy(value)
    except Exception:  # a file, a lock, a process: nothing that a step could be put back by
        return lambda now: value
    return lambda now: copy.deepcopy(saved)


def _restoring_tensor(value: Tensor) -> Restore:
    device, saved = value.device, _copy(value)

    def restore(now: Any) -> Tensor:
        # Another tensor of this shape may have come into its place: then that one keeps its place from here on.
        if isinstance(now, Tensor) and (now.shape, now.dtype, now.device) == (saved.shape, saved.dtype, device):
            try:
                return now.copy_(saved)
            except RuntimeError:  # several elements of it share one place in memory
                pass
        return saved.to(device, copy=True)

    return restore


def _restoring_dict(value: dict[Any, Any]) -> Restore:
    parts = {key: _restoring(part) for key, part in value.items()}

    def restore(now: Any) -> dict[Any, Any]:
        there = now if isinstance(now, dict) else value
        found = {key: restored(there.get(key)) for key, restored in parts.items()}
        there.clear()
        there.update(found)
        return there

    return restore


def _restoring_list(value: list[Any]) -> Restore:
    parts = [_restoring(part) for part in value]

    def restore(now: Any) -> list[Any]:
        there = now if isinstance(now, list) else value
        there[:] = [restored(part) for restored, part in zip(parts, _as_long(there, list, len(parts)), strict=True)]
        return there

    return restore


def _as_long(value: Any, kind: type[list[Any]] | type[tuple[Any, ...]], length: int) -> list[Any]:
    """Return the items that are there, and None for those that are not."""
    items = list(value[:length]) if isinstance(value, kind) else []
    return items + [None] * (length - len(items))


def _copy(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", copy=True)
