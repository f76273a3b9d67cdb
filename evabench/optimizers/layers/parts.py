"""The layers of a model, what may be a layer besides, and the rest with the reasons."""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
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
from evabench.settings.brief import brief, brief_list

ELSEWHERE = "Eva-s, Shampoo and M-FAC precondition it"
EXCLUDED = "it is excluded"

Exclude = Iterable[str | nn.Module] | Callable[[str, nn.Module], bool]


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


def find_excluded(model: nn.Module, exclude: Exclude) -> dict[nn.Parameter, str]:
    """Return the parameters of modules that are named, given, or chosen by name and module, and of modules inside.

    Raises `ValueError` for what is no module of the model.
    """
    by_name = dict(model.named_modules())
    if callable(exclude):
        chosen = [module for name, module in by_name.items() if exclude(name, module)]
    else:
        chosen = []
        for each in (exclude,) if isinstance(exclude, str) else exclude:
            module = by_name.get(each) if isinstance(each, str) else each
            if module is None or module not in by_name.values():
                raise ValueError(
                    f"exclude: {brief(each)} is no module of the model. It takes names of modules, such as "
                    f"{brief_list([name for name in by_name if name])}, modules, or a function of both."
                )
            chosen.append(module)
    return {parameter: EXCLUDED for module in chosen for parameter in module.parameters()}


@final
class LayerParts:
    """The layers of a model, and its other parameters; candidates become layers when their products are seen."""

    def __init__(
        self,
        model: nn.Module,
        *,
        batch_first: bool | None = None,
        exclude: Exclude = (),
        refuse: Callable[[Layer], str | None] | None = None,
        refuse_later: Callable[[Layer], str | None] | None = None,
    ) -> None:
        """Find them; `batch_first` says where sequences have their samples, whatever modules of the model say.

        `refuse` returns why a layer is to be left out, or None; `refuse_later` the same of one that is found in a pass.
        """
        self.model = model
        self._refuse = refuse or _take
        self._refuse_later = refuse_later or _take
        left_out = find_excluded(model, exclude)
        found = find_layers(model, batch_first=batch_first)
        reasons = {layer.weight: left_out.get(layer.weight) or self._refuse(layer) for layer in found}
        self.layers = tuple(layer for layer in found if reasons[layer.weight] is None)
        self.candidates = tuple(
            each for each in find_candidates(model, batch_first=batch_first) if each.weight not in left_out
        )
        if not (self.layers or self.candidates):
            raise ValueError(
                f"{type(model).__name__} has no layer to precondition: all are left out, "
                f"{found[0].name} because {reasons[found[0].weight]}. Use torch.optim.SGD for it."
            )
        self.rest = find_rest(model, self.layers, left_out | reasons)

    def add(self, layer: Layer) -> bool:
        """Take a layer that was a candidate, or return False where it is to be left out."""
        reason = self._refuse(layer) or self._refuse_later(layer)
        if reason is not None:
            self.rest = tuple(
                replace(each, reason=reason) if layer.weight in each.parameters else each for each in self.rest
            )
            return False
        self.layers = (*self.layers, layer)
        self.rest = without(self.rest, (layer,))
        return True

    def follow(self, fresh: "LayerParts", trained: Container[nn.Parameter]) -> None:
        """Take what was found in the model as it is now, of trained parameters; known layers stay what they are."""
        known = {layer.weight for layer in self.layers}
        new = (layer for layer in fresh.layers if layer.weight not in known)
        self.layers = (*self.layers, *(layer for layer in new if all(each in trained for each in layer.parameters)))
        self.candidates = tuple(
            each for each in fresh.candidates if each.weight not in known and each.weight in trained
        )
        self.rest = without(fresh.rest, self.layers)


def without(rest: tuple[Rest, ...], layers: tuple[Layer, ...]) -> tuple[Rest, ...]:
    """Return the rest without what layers hold."""
    held = {parameter for layer in layers for parameter in layer.parameters}
    left = (replace(each, parameters=tuple(p for p in each.parameters if p not in held)) for each in rest)
    return tuple(each for each in left if each.parameters)


def find_rest(
    model: nn.Module,
    layers: tuple[Layer, ...],
    reasons: Mapping[nn.Parameter, str | None] = MappingProxyType({}),
    kinds: Kinds = KINDS,
) -> tuple[Rest, ...]:
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
        Rest(
            names[module], type(module).__name__, tuple(parameters), _explain(module, users, parameters, reasons, kinds)
        )
        for module, parameters in rest.items()
    )


def _explain(
    module: nn.Module,
    users: Users,
    parameters: list[nn.Parameter],
    reasons: Mapping[nn.Parameter, str | None],
    kinds: Kinds,
) -> str:
    known = next((reason for each in parameters if (reason := reasons.get(each))), None)
    if known is not None:
        return known
    kind = type(module).__name__
    if not isinstance(module, kinds):
        most_axes = max(parameter.dim() for parameter in parameters)
        if isinstance(module, nn.Embedding) or most_axes < 2:
            return f"{kind} has no Kronecker factors"
        if most_axes == 2:
            return f"{kind} multiplies no rows by its matrix alone: {ELSEWHERE}"
        return f"{kind} holds more axes than a matrix, as batched experts and positions do: {ELSEWHERE}"
    weight = weight_of(module, kinds)
    if weight is None:
        return "its weight is computed, not a parameter"
    reason = reason_against(weight, [user for _, user in users[weight]], kinds)
    if reason is None and not any(each is module.bias for each in parameters):
        return f"{kind} has it besides its weight and its bias"
    return reason or "its bias is frozen or shared"


def _take(layer: Layer) -> str | None:
    return None
