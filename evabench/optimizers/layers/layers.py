"""What a preconditionable layer is, and its gradient as one matrix.

Legend: G [d_out, d_in] is the gradient of a layer, [d_out, d_in + 1] with a trainable bias, the last column. A kernel
is flattened: d_in = channels * prod(kernel_size). A convolution with groups has one such matrix per group, stacked as
[groups, d_out / groups, d_in].
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from evabench.optimizers.tensors import in_memory_order


@dataclass(frozen=True, slots=True)
class ConvolutionGeometry:
    """How a call of a convolution moved its kernel, under the names of `nn.Conv2d`; the input comes padded or not."""

    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: str | tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int
    padding_mode: str = "zeros"


Plain = nn.Linear | nn.Conv1d | nn.Conv2d
Module = Plain | ConvolutionGeometry  # what says how a weight multiplies
Kinds = tuple[type[Plain], ...]
KINDS: Kinds = (nn.Linear, nn.Conv1d, nn.Conv2d)
LOOKUPS = (nn.Embedding, nn.EmbeddingBag, nn.RNNBase, nn.RNNCellBase)  # no products, or those of a kernel of their own


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
    modules: tuple[nn.Module, ...]  # of the classes `KINDS`, or one that multiplies by the weight in its own way
    is_transposed: bool = False  # the weight is [d_in, d_out]
    batch_axis: int = 0  # of inputs [n, ..., d_in]; 1 where time comes first

    @property
    def kind(self) -> str:
        """The class of the first module."""
        return type(self.modules[0]).__name__

    @property
    def why_idle(self) -> str:
        """What keeps a hook from firing."""
        return "its hook never fired: not used, used without calling the module, or in code of torch.jit"

    @property
    def num_groups(self) -> int:
        """How many matrices of its own the layer has: 1 but for a convolution with groups."""
        module = self.modules[0]
        return module.groups if isinstance(module, nn.Conv1d | nn.Conv2d) else 1

    @property
    def d_out(self) -> int:
        """The rows of G, in all groups together."""
        return self.weight.shape[1 if self.is_transposed else 0]

    @property
    def num_inputs(self) -> int:
        """How many columns G has without a bias, those of all groups together."""
        return len(self.weight) if self.is_transposed else self.weight[0].numel() * self.num_groups

    @property
    def parameters(self) -> list[nn.Parameter]:
        """The weight, and the bias where it is trained."""
        return [self.weight] if self.bias is None else [self.weight, self.bias]

    @property
    def is_computed(self) -> bool:
        """Whether its modules have something else in the place of the weight by now: pruning, a parametrization."""
        return any(
            isinstance(each, KINDS) and each._parameters.get("weight") is not self.weight for each in self.modules
        )

    @property
    def has_gradient(self) -> bool:
        """Whether the last backward passes reached every parameter of the layer, none of them frozen by now."""
        weight, bias = self.weight, self.bias
        if weight.grad is None or not weight.requires_grad:
            return False
        return bias is None or (bias.grad is not None and bias.requires_grad)

    def gradients(self) -> list[Tensor]:
        """Return the gradients themselves, the weight's first: writing to them changes `.grad`."""
        gradients = [parameter.grad for parameter in self.parameters if parameter.grad is not None]
        assert len(gradients) == len(self.parameters), f"{self.name} has no gradient"
        return gradients

    def gradient(self) -> Tensor:
        """Return G: a view of the weight's gradient where that is possible, a new matrix otherwise."""
        weight, *bias = self.gradients()
        matrix = weight.T if self.is_transposed else self._by_group(weight.flatten(1))
        return torch.cat((matrix, self._by_group(bias[0].unsqueeze(1))), dim=-1) if bias else matrix

    def set_gradient_(self, matrix: Tensor) -> None:
        """Write a matrix of the shape of G into `.grad`."""
        weight, *bias = self.gradients()
        if self.is_transposed:
            weight = weight.T
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
            return (weight.T if self.is_transposed else weight), columns
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


def find_layers(model: nn.Module, kinds: Kinds = KINDS, *, batch_first: bool | None = None) -> tuple[Layer, ...]:
    """Return the layers of a model that can be preconditioned, in the order of its modules.

    A weight that is frozen, computed by a parametrization, or shared with a module of another kind (an embedding) is
    left out. Modules that share a weight are one layer, whose statistics they add up; the matrix has their bias where
    they share it, too. Other modules may turn out to be layers, too (`candidates`).
    """
    users, by_name = users_of(model), dict(model.named_modules())
    layers = []
    for weight, modules in users.items():
        name, first = modules[0]
        if weight_of(first, kinds) is not weight or reason_against(weight, [module for _, module in modules], kinds):
            continue
        own = tuple(module for _, module in modules)
        axis = batch_axis_of(by_name, name, batch_first)
        layers.append(Layer(name, weight, _bias(users, modules), own, batch_axis=axis))
    if not (layers or any(is_candidate(weight, modules) for weight, modules in users.items())):
        allowed = ", ".join(f"nn.{kind.__name__}" for kind in kinds)
        raise ValueError(
            f"{type(model).__name__} has no layer to precondition: one of {allowed} with a trainable weight is needed, "
            "or another module that multiplies by a trainable matrix. Use torch.optim.SGD for it."
        )
    return tuple(layers)


def is_candidate(weight: nn.Parameter, modules: list[tuple[str, nn.Module]]) -> bool:
    """Return whether a weight may turn out to be that of a layer, of a module that is no Linear or convolution."""
    if weight.dim() != 2 or not weight.requires_grad or not weight.numel() or len(modules) > 1:
        return False
    return not isinstance(modules[0][1], (*KINDS, *LOOKUPS))


def is_plain(module: nn.Module) -> bool:
    """Return whether a call of a module is the product that its class stands for, and no `forward` of another kind."""
    own = vars(module)  # where others put a `forward` of their own: hooks of Accelerate, tiled convolutions
    if "forward" in own or "_conv_forward" in own:
        return False
    if type(module) in KINDS:
        return True
    base = next((kind for kind in KINDS if isinstance(module, kind)), None)
    names = ("forward", "_conv_forward")
    return base is not None and all(getattr(type(module), name, None) is getattr(base, name, None) for name in names)


def batch_axis_of(modules: Mapping[str, nn.Module], name: str, batch_first: bool | None) -> int:
    """Return the axis of the samples in the inputs of a module: what it, or the nearest module around it, says.

    torch's attention and transformers say `batch_first`; where nobody does, the samples come first.
    """
    if batch_first is not None:
        return 0 if batch_first else 1
    while name:
        module = modules.get(name)
        for each in (module, getattr(module, "self_attn", None)):
            said = getattr(each, "batch_first", None)
            if isinstance(said, bool):
                return 0 if said else 1
        name = name.rpartition(".")[0]
    return 1 if getattr(modules.get(""), "batch_first", True) is False else 0


Users = dict[nn.Parameter, list[tuple[str, nn.Module]]]


def users_of(model: nn.Module) -> Users:
    """Return, for every parameter, the modules that hold it themselves, with their names."""
    users: Users = {}
    for name, module in model.named_modules():
        for parameter in module.parameters(recurse=False):
            users.setdefault(parameter, []).append((name or type(module).__name__, module))
    return users


def weight_of(module: nn.Module, kinds: Kinds) -> nn.Parameter | None:
    """Return the weight of a module of these kinds, or None where it is no parameter."""
    weight = module.weight if isinstance(module, kinds) else None
    return weight if isinstance(weight, nn.Parameter) else None


def reason_against(weight: nn.Parameter, modules: list[nn.Module], kinds: Kinds) -> str | None:
    """Return why a weight cannot be preconditioned, or None if it can."""
    if not weight.requires_grad:
        return "its weight was frozen when the optimizer was made"
    if not weight.numel():
        return "its weight is empty"
    for module in modules:
        if weight_of(module, kinds) is not weight:
            return f"its weight is shared with a {type(module).__name__}"
    geometries = {(isinstance(module, nn.Linear), getattr(module, "groups", 1)) for module in modules}
    return None if len(geometries) == 1 else "its weight is shared by layers of different kinds"


def _bias(users: Users, modules: list[tuple[str, nn.Module]]) -> nn.Parameter | None:
    """Return the bias that is trained together with the weight of these modules, in all of them, and with no other."""
    bias = modules[0][1].bias
    if not (isinstance(bias, nn.Parameter) and bias.requires_grad and all(each.bias is bias for _, each in modules)):
        return None
    return bias if {module for _, module in users[bias]} <= {module for _, module in modules} else None
