"""What a preconditionable layer is, and its gradient as one matrix.

Legend: G [d_out, d_in] is the gradient of a layer; [d_out, d_in + 1] with a trainable bias, the last column.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A weight matrix, its bias, and the modules that multiply by it (several where a weight is tied)."""

    name: str
    weight: nn.Parameter
    bias: nn.Parameter | None  # None also where it is frozen
    modules: tuple[nn.Linear, ...]

    @property
    def has_gradient(self) -> bool:
        """Whether the last backward passes reached every parameter of the layer."""
        return self.weight.grad is not None and (self.bias is None or self.bias.grad is not None)

    def gradients(self) -> list[Tensor]:
        """Return the gradients themselves, the weight's first: writing to them changes `.grad`."""
        parameters = [self.weight] if self.bias is None else [self.weight, self.bias]
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        assert len(gradients) == len(parameters), f"{self.name} has no gradient"
        return gradients

    def gradient(self) -> Tensor:
        """Return G: the weight's gradient itself where there is no bias, a new matrix otherwise."""
        weight, *bias = self.gradients()
        return torch.cat((weight, bias[0].unsqueeze(1)), dim=1) if bias else weight

    def set_gradient_(self, matrix: Tensor) -> None:
        """Write a matrix of the shape of G into `.grad`."""
        weight, *bias = self.gradients()
        weight.copy_(matrix[:, : weight.shape[1]])
        if bias:
            bias[0].copy_(matrix[:, -1])


def find_layers(model: nn.Module) -> tuple[Layer, ...]:
    """Return the layers of a model that can be preconditioned, in the order of its modules.

    A weight that is frozen, or computed by a parametrization, is left out. Modules that share a weight are one layer,
    whose statistics they add up; the matrix has the bias of the first. Raises `ValueError` where nothing is left,
    because the optimizer would be plain SGD.
    """
    modules_of: dict[nn.Parameter, list[nn.Linear]] = {}
    names: dict[nn.Parameter, str] = {}
    for name, module in model.named_modules():
        weight = module.weight if isinstance(module, nn.Linear) else None
        if isinstance(module, nn.Linear) and isinstance(weight, nn.Parameter) and weight.requires_grad:
            modules_of.setdefault(weight, []).append(module)
            names.setdefault(weight, name or type(module).__name__)
    if not modules_of:
        raise ValueError(
            f"{type(model).__name__} has no layer to precondition: nn.Linear with a trainable weight is needed. "
            "Use torch.optim.SGD for it."
        )
    return tuple(
        Layer(names[weight], weight, _trainable(modules[0].bias), tuple(modules))
        for weight, modules in modules_of.items()
    )


def _trainable(bias: Tensor | None) -> nn.Parameter | None:
    return bias if isinstance(bias, nn.Parameter) and bias.requires_grad else None
