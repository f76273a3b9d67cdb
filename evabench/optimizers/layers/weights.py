"""The parameters whose gradient alone gives them a curvature: those with two axes or more, whatever their module."""

from collections.abc import Callable, Container
from dataclasses import dataclass, replace

from torch import Tensor, nn

from evabench.optimizers.layers.layers import Rest


@dataclass(frozen=True, slots=True, eq=False)
class Weight:
    """A trained parameter with at least two axes, and the module that holds it (the first, where it is shared)."""

    name: str  # of the module, or of the parameter where the module holds several weights
    kind: str  # the class of the module
    weight: nn.Parameter
    note: str = ""  # what of its curvature is left out

    @property
    def parameters(self) -> list[nn.Parameter]:
        """The weight alone: a bias takes the plain gradient."""
        return [self.weight]

    @property
    def why_idle(self) -> str:
        """What keeps a weight from having statistics."""
        return "it never had a gradient"

    @property
    def has_gradient(self) -> bool:
        """Whether the last backward passes reached the weight."""
        return self.weight.grad is not None

    def gradient(self) -> Tensor:
        """Return the gradient itself, as [d_out, d_in]."""
        assert self.weight.grad is not None, f"{self.name} has no gradient"
        return self.weight.grad.flatten(1)


@dataclass(slots=True, eq=False)
class WeightParts:
    """The weights of a model, and its other parameters."""

    layers: tuple[Weight, ...]
    rest: tuple[Rest, ...]

    def follow(self, fresh: "WeightParts", trained: Container[nn.Parameter]) -> None:
        """Take what was found in the model as it is now, of trained parameters; known weights stay what they are."""
        known = {each.weight for each in self.layers}
        new = (each for each in fresh.layers if each.weight not in known and each.weight in trained)
        self.layers = (*self.layers, *new)
        self.rest = fresh.rest


Remark = Callable[[nn.Parameter], tuple[bool, str]]  # whether a weight has a curvature, and what is left out of it


def find_weight_parts(model: nn.Module, remark: Remark = lambda weight: (True, "")) -> WeightParts:
    """Return what `find_weights` and `find_other_parameters` find; a weight without a curvature is of the others."""
    layers, rest = [], list(find_other_parameters(model))
    for each in find_weights(model):
        has_curvature, words = remark(each.weight)
        if has_curvature:
            layers.append(replace(each, note=words))
        else:
            rest.append(Rest(each.name, each.kind, (each.weight,), words))
    if not layers:
        raise ValueError(f"{type(model).__name__} has no layer to precondition: {rest[-1].name} has {rest[-1].reason}.")
    return WeightParts(tuple(layers), tuple(rest))


def find_weights(model: nn.Module) -> tuple[Weight, ...]:
    """Return the trained parameters with two axes or more, in the order of the modules, a shared one once.

    Raises `ValueError` where there is none, because the optimizer would be plain SGD.
    """
    weights: dict[nn.Parameter, Weight] = {}
    for path, module in model.named_modules():
        held = {name: each for name, each in module.named_parameters(recurse=False) if _is_weight(each)}
        for name, parameter in held.items():
            if parameter not in weights:
                alone = path or type(module).__name__
                full = f"{path}.{name}" if path else name
                weights[parameter] = Weight(alone if len(held) == 1 else full, type(module).__name__, parameter)
    if not weights:
        raise ValueError(
            f"{type(model).__name__} has no layer to precondition: a trained parameter with two axes or more is "
            "needed. Use torch.optim.SGD for it."
        )
    return tuple(weights.values())


def find_other_parameters(model: nn.Module) -> tuple[Rest, ...]:
    """Return the parameters that `find_weights` leaves out, module by module, each with the reason."""
    seen: set[nn.Parameter] = set()
    rest: list[Rest] = []
    for path, module in model.named_modules():
        own = [each for each in module.parameters(recurse=False) if not _is_weight(each) and each not in seen]
        seen.update(own)
        kind = type(module).__name__
        by_reason: dict[str, list[nn.Parameter]] = {}
        for parameter in own:
            by_reason.setdefault(_reason_against(parameter), []).append(parameter)
        rest += [Rest(path or kind, kind, tuple(members), reason) for reason, members in by_reason.items()]
    return tuple(rest)


def _is_weight(parameter: nn.Parameter) -> bool:
    return parameter.requires_grad and parameter.dim() >= 2 and parameter.numel() > 0


def _reason_against(parameter: nn.Parameter) -> str:
    if not parameter.requires_grad:
        return "frozen when the optimizer was made"
    return "one axis" if parameter.numel() else "empty"
