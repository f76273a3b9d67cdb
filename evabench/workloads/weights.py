"""Weights from a checkpoint file: safetensors, or a state_dict that torch reads with `weights_only`."""

from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor, nn

from evabench.datasets.files import made_once
from evabench.datasets.places import cache_folder
from evabench.errors import DataError


def load_weights(model: nn.Module, path: Path) -> tuple[str, ...]:
    """Load a checkpoint into a model and return the names that kept their own initial weights: a head of other classes.

    Raises `DataError` where the file is missing or damaged, and where anything but the head does not fit.
    """
    state = _read(path)
    own = model.state_dict()
    head = tuple(name for name, tensor in own.items() if name in state and state[name].shape != tensor.shape)
    unfit = [
        name
        for name in head
        if name.rpartition(".")[0] != _last_linear(model) or state[name].shape[1:] != own[name].shape[1:]
    ]
    missing = [name for name in own if name not in state]
    unknown = [name for name in state if name not in own]
    if unfit or missing or unknown:
        shapes = [f"{name} {list(state[name].shape)} where the net has {list(own[name].shape)}" for name in unfit]
        details = (("of another shape", shapes), ("missing", missing), ("unknown", unknown))
        told = "; ".join(f"{len(names)} {what}: {', '.join(names[:4])}" for what, names in details if names)
        raise DataError(
            f"{path} is no checkpoint of this {type(model).__name__}. {told}. "
            "It has to be of the same net at the same width; its last Linear layer alone may have other classes."
        )
    model.load_state_dict({**state, **{name: own[name] for name in head}})
    return head


def _last_linear(model: nn.Module) -> str | None:
    """Return the name of the layer that belongs to the classes of the pretraining, whatever its net calls it."""
    linear = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    return linear[-1] if linear else None


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise DataError(
            f"there is no checkpoint {path} (looked in {Path.cwd()}). Save one with "
            "safetensors.torch.save_file(model.state_dict(), path) or torch.save(model.state_dict(), path)."
        )
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file  # a child that loads no checkpoint needs none of it

            return dict(load_file(path))
        state = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError:  # torch advises to load it with code and all
        raise DataError(
            f"{path} holds more than tensors, or is damaged: it is not loaded, since loading it could run code. Save "
            "model.state_dict() alone, or a safetensors file."
        ) from None
    except Exception as error:  # each reader has errors of its own, and none of them is ours
        raise DataError(f"{path} cannot be read as weights: {error}") from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise DataError(f"{path} holds no state_dict: save model.state_dict() itself, not what it lies in.")
    return state


def stand_in_checkpoint(name: str, make: Callable[[], nn.Module]) -> Path:
    """Return a safetensors file of a net with weights of a seed of its own, in place of a pretrained one."""
    from safetensors.torch import save_file

    def write(path: Path) -> None:
        save_file({name: tensor.contiguous() for name, tensor in make().state_dict().items()}, path)

    return made_once(cache_folder() / "stand-ins" / f"{name}-1.safetensors", write)
