"""What a preconditionable layer is, and its gradient as one matrix.

Legend: G [d_out, d_in] is the gradient of a layer, [d_out, d_in + 1] with a trainable bias, the last column. A kernel
is flattened: d_in = channels * prod(kernel_size). A convolution with groups has one such matrix a group, stacked as
[groups, d_out / groups, d_in].
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from evabench.optimizers.tensors import in_memory_order

Module = nn.Linear | nn.Conv1d | nn.Conv2d
KINDS: tuple[type[Module], ...] = (nn.Linear, nn.Conv1d, nn.Conv2d)


class Preconditioned(Protocol):
    """What health and coverage ask of a layer, or of a weight that is preconditioned alone."""

    @property
    def name(self) -> str:
        """Its name in the model."""

    @property
    def kind(self) -> str:
        """The class of its module."""

    @property
    def weight(self) -> nn.Parameter:
        """The parameter whose state holds the statistics."""

    @property
    def parameters(self) -> list[nn.Parameter]:
        """All parameters that are preconditioned with it."""

    @property
    def why_idle(self) -> str:
        """Why it may have no statistics."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A weight, its bias, and the modules that multiply by it (several where a weight is tied)."""

    name: str
    weight: nn.Parameter
    bias: nn.Parameter | None  # None also where it is frozen
    modules: tuple[Module, ...]

    @property
    def kind(self) -> str:
        """The class of the first module."""
        return type(self.modules[0]).__name__

    @property
    def why_idle(self) -> str:
        """What keeps a hook from firing."""
        return (
            "its hook never fired: not used, used without calling the module, or compiled before the optimizer was made"
        )

    @property
    def num_groups(self) -> int:
        """How many matrices of its own the layer has: 1 but for a convolution with groups."""
        module = self.modules[0]
        return 1 if isinstance(module, nn.Linear) else module.groups

    @property
    def num_inputs(self) -> int:
        """How many columns G has without a bias, those of all groups together."""
        return self.weight[0].numel() * self.num_groups

    @property
    def parameters(self) -> list[nn.Parameter]:
        """The weight, and the bias where it is trained."""
        return [self.weight] if self.bias is None else [self.weight, self.bias]

    @property
    def has_gradient(self) -> bool:
        """Whether the last backward passes reached every parameter of the layer, none of them frozen by now."""
        return all(parameter.grad is not None and parameter.requires_grad for parameter in self.parameters)

    def gradients(self) -> list[Tensor]:
        """Return the gradients themselves, the weight's first: writing to them changes `.grad`."""
        gradients = [parameter.grad for parameter in self.parameters if parameter.grad is not None]
        assert len(gradients) == len(self.parameters), f"{self.name} has no gradient"
        return gradients

    def gradient(self) -> Tensor:
        """Return G: a view of the weight's gradient where that is possible, a new matrix otherwise."""
        weight, *bias = self.gradients()
        matrix = self._by_group(weight.flatten(1))
        return torch.cat((matrix, self._by_group(bias[0].unsqueeze(1))), dim=-1) if bias else matrix

    def set_gradient_(self, matrix: Tensor) -> None:
        """Write a matrix of the shape of G into `.grad`."""
        weight, *bias = self.gradients()
        matrix = matrix.reshape(weight.shape[0], -1)
        num_columns = weight[0].numel()
        weight.copy_(matrix[:, :num_columns].reshape(weight.shape))
        if bias:
            bias[0].copy_(matrix[:, num_columns])

    def align(self, weight: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
        """Return a tensor of the weight's shape as G, without a copy, and a vector of columns in the same order.

        The columns of a kernel that is not contiguous (channels-last) come in the order of the memory, so that an
        update in place can be one product of matrices; [groups * d_in] columns come back as [groups, d_in].
        """
        grouped = columns.view(self.num_groups, -1) if self.num_groups > 1 else columns
        if weight.dim() == 2:
            return weight, columns
        if weight.is_contiguous():
            return self._by_group(weight.view(weight.shape[0], -1)), grouped
        axes = in_memory_order(weight)
        matrix = weight.permute(0, *axes).flatten(1)
        assert matrix.data_ptr() == weight.data_ptr(), f"{self.name}: a weight must be dense in memory"
        kernels = columns.view(self.num_groups, *weight.shape[1:]).permute(0, *axes)
        return self._by_group(matrix), kernels.reshape(grouped.shape)

    def _by_group(self, matrix: Tensor) -> Tensor:
        return matrix if self.num_groups == 1 else matrix.view(self.num_groups, -1, matrix.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class Rest:
    """The parameters of one module that no layer holds, and the reason: they take the plain gradient."""

    name: str
    kind: str  # the class of the module
    parameters: tuple[nn.Parameter, ...]
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class LayerParts:
    """The layers of a model, and its other parameters."""

    layers: tuple[Layer, ...]
    rest: tuple[Rest, ...]


def find_parts(model: nn.Module) -> LayerParts:
    """Return what `find_layers` and `find_rest` find."""
    layers = find_layers(model)
    return LayerParts(layers, find_rest(model, layers))


def find_layers(model: nn.Module, kinds: tuple[type[Module], ...] = KINDS) -> tuple[Layer, ...]:
    """Return the layers of a model that can be preconditioned, in the order of its modules.

    A weight that is frozen, computed by a parametrization, or shared with a module of another kind (an embedding) is
    left out. Modules that share a weight are one layer, whose statistics they add up; the matrix has the bias of the
    first. Raises `ValueError` where nothing is left, because the optimizer would be plain SGD.
    """
    users = _users(model)
    layers = []
    for weight, modules in users.items():
        name, first = modules[0]
        if _weight_of(first, kinds) is not weight or _reason_against(weight, [module for _, module in modules], kinds):
            continue
        layers.append(Layer(name, weight, _bias(users, modules), tuple(module for _, module in modules)))  # type: ignore[misc]
    if not layers:
        allowed = ", ".join(f"nn.{kind.__name__}" for kind in kinds)
        raise ValueError(
            f"{type(model).__name__} has no layer to precondition: one of {allowed} with a trainable weight is needed. "
            "Use torch.optim.SGD for it."
        )
    return tuple(layers)


def find_rest(model: nn.Module, layers: tuple[Layer, ...], kinds: tuple[type[Module], ...] = KINDS) -> tuple[Rest, ...]:
    """Return the parameters that are in no layer, module by module, each with the reason."""
    held = {parameter for layer in layers for parameter in layer.parameters}
    users = _users(model)
    rest: dict[nn.Module, list[nn.Parameter]] = {}
    names: dict[nn.Module, str] = {}
    for parameter, modules in users.items():
        if parameter not in held:
            name, module = modules[0]
            names[module] = name
            rest.setdefault(module, []).append(parameter)
    return tuple(
        Rest(names[module], type(module).__name__, tuple(parameters), _explain(module, users, kinds))
        for module, parameters in rest.items()
    )


_Users = dict[nn.Parameter, list[tuple[str, nn.Module]]]


def _users(model: nn.Module) -> _Users:
    """Return, for every parameter, the modules that hold it themselves, with their names."""
    users: _Users = {}
    for name, module in model.named_modules():
        for parameter in module.parameters(recurse=False):
            users.setdefault(parameter, []).append((name or type(module).__name__, module))
    return users


def _weight_of(module: nn.Module, kinds: tuple[type[Module], ...]) -> nn.Parameter | None:
    weight = module.weight if isinstance(module, kinds) else None
    return weight if isinstance(weight, nn.Parameter) else None


def _reason_against(weight: nn.Parameter, modules: list[nn.Module], kinds: tuple[type[Module], ...]) -> str | None:
    """Return why a weight cannot be preconditioned, or None if it can."""
    if not weight.requires_grad:
        return "its weight was frozen when the optimizer was made"
    if not weight.numel():
        return "its weight is empty"
    for module in modules:
        if _weight_of(module, kinds) is not weight:
            return f"its weight is shared with a {type(module).__name__}"
    geometries = {(isinstance(module, nn.Linear), getattr(module, "groups", 1)) for module in modules}
    return None if len(geometries) == 1 else "its weight is shared by layers of different kinds"


def _bias(users: _Users, modules: list[tuple[str, nn.Module]]) -> nn.Parameter | None:
    """Return the bias that is trained together with the weight of these modules, and with no other."""
    bias = modules[0][1].bias
    if not (isinstance(bias, nn.Parameter) and bias.requires_grad):
        return None
    return bias if {module for _, module in users[bias]} <= {module for _, module in modules} else None


def _explain(module: nn.Module, users: _Users, kinds: tuple[type[Module], ...]) -> str:
    if not isinstance(module, kinds):
        return f"{type(module).__name__} has no Kronecker factors"
    weight = _weight_of(module, kinds)
    if weight is None:
        return "its weight is computed, not a parameter"
    return _reason_against(weight, [user for _, user in users[weight]], kinds) or "its bias is frozen or shared"
