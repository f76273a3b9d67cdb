"""The layers of a model, what may be a layer besides, and the rest with the reasons."""

from dataclasses import dataclass, replace
from typing import final

from torch import nn

from evabench.optimizers.layers.layers import (
    KINDS,
    Kinds,
    Layer,
    Rest,
    Users,
    batch_axis_of,
    find_layers,
    is_candidate,
    reason_against,
    users_of,
    weight_of,
)

ELSEWHERE = "Eva-s, Shampoo and M-FAC precondition it"


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A trained matrix of a module that is no Linear and no convolution: a layer where it multiplies rows."""

    name: str
    weight: nn.Parameter
    module: nn.Module
    batch_axis: int


def find_candidates(model: nn.Module, *, batch_first: bool | None = None) -> tuple[Candidate, ...]:
    """Return the candidates, in the order of the modules."""
    found, by_name = [], dict(model.named_modules())
    for weight, modules in users_of(model).items():
        if is_candidate(weight, modules):
            name, module = modules[0]
            (own,) = (each for each, parameter in module.named_parameters(recurse=False) if parameter is weight)
            path = name if name in by_name else ""
            full = name if own == "weight" else f"{path}.{own}" if path else own
            found.append(Candidate(full, weight, module, batch_axis_of(by_name, path, batch_first)))
    return tuple(found)


@final
class LayerParts:
    """The layers of a model, and its other parameters; candidates become layers when their products are seen."""

    def __init__(self, model: nn.Module, *, batch_first: bool | None = None) -> None:
        """Find them; `batch_first` says where sequences have their samples, whatever modules of the model say."""
        self.model = model
        self.layers = find_layers(model, batch_first=batch_first)
        self.rest = find_rest(model, self.layers)
        self.candidates = find_candidates(model, batch_first=batch_first)

    def add(self, layer: Layer) -> None:
        """Take a layer that was a candidate."""
        self.layers = (*self.layers, layer)
        held = set(layer.parameters)
        left = (replace(each, parameters=tuple(p for p in each.parameters if p not in held)) for each in self.rest)
        self.rest = tuple(each for each in left if each.parameters)


def find_rest(model: nn.Module, layers: tuple[Layer, ...], kinds: Kinds = KINDS) -> tuple[Rest, ...]:
    """Return the parameters that are in no layer, module by module, each with the reason."""
    held = {parameter for layer in layers for parameter in layer.parameters}
    users = users_of(model)
    rest: dict[nn.Module, list[nn.Parameter]] = {}
    names: dict[nn.Module, str] = {}
    for parameter, modules in users.items():
        if parameter not in held:
            name, module = modules[0]
            names[module] = name
            rest.setdefault(module, []).append(parameter)
    return tuple(
        Rest(names[module], type(module).__name__, tuple(parameters), _explain(module, users, parameters, kinds))
        for module, parameters in rest.items()
    )


def _explain(module: nn.Module, users: Users, parameters: list[nn.Parameter], kinds: Kinds) -> str:
    kind = type(module).__name__
    if not isinstance(module, kinds):
        most_axes = max(parameter.dim() for parameter in parameters)
        if isinstance(module, nn.Embedding) or most_axes < 2:
            return f"{kind} has no Kronecker factors"
        if most_axes == 2:
            return f"{kind} multiplies no rows by its matrix alone: {ELSEWHERE}"
        return f"{kind} has a stack of matrices, as batched experts have: {ELSEWHERE}"
    weight = weight_of(module, kinds)
    if weight is None:
        return "its weight is computed, not a parameter"
    return reason_against(weight, [user for _, user in users[weight]], kinds) or "its bias is frozen or shared"
