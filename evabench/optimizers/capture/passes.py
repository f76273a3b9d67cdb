"""Which passes through a layer are training passes: those that lead to a gradient of the layer's own weight.

All but `reaches` is asked at every pass of every layer, and takes less than a microsecond on the host.
"""

from typing import TypeGuard

import torch
from torch import Tensor, nn

from evabench.optimizers.layers.layers import KINDS, Layer, Module


def is_transformed() -> bool:
    """Return whether a transform of `torch.func` or `torch.jit.trace` runs: it reads the model, and trains nothing."""
    return torch._C._functorch.peek_interpreter_stack() is not None or torch._C._get_tracing_state() is not None


def uses_own_weight(layer: Layer, module: Module) -> bool:
    """Return whether the module multiplies by its own weight, or by what a parametrization makes of it.

    `torch.func.functional_call` puts other tensors in its place: a teacher's, or an average's.
    """
    return module._parameters.get("weight", layer.weight) is layer.weight


def is_product(inputs: object, output: object, module: Module) -> TypeGuard[Tensor]:
    """Return whether a call looks like the product that the statistics describe.

    A subclass may do anything else, and a forward hook may have put anything in the place of the output.
    """
    if not (isinstance(inputs, Tensor) and isinstance(output, Tensor)):
        return False
    if type(module) in KINDS:
        return True
    if isinstance(module, nn.Linear):
        axis, d_in, d_out = -1, module.in_features, module.out_features
    else:
        axis, d_in, d_out = -1 - len(module.kernel_size), module.in_channels, module.out_channels
    return min(inputs.dim(), output.dim()) >= -axis and inputs.shape[axis] == d_in and output.shape[axis] == d_out


def reaches(weight: Tensor, gradient: Tensor) -> bool:
    """Return whether the backward pass that runs, and has this gradient on its way, gets to a weight.

    One for the gradient of an input alone does not, as those of adversarial examples and gradient penalties are; nor
    does one for many gradients at once (`is_grads_batched`), which trains nothing.
    """
    if torch._C._functorch.is_legacy_batchedtensor(gradient) or is_transformed():
        return False
    with torch.enable_grad():
        view = weight.view_as(weight).grad_fn
    if view is None:  # frozen since the forward pass
        return False
    try:
        return torch._C._will_engine_execute_node(view.next_functions[0][0])  # type: ignore[arg-type]
    except RuntimeError:  # `autograd.grad` for the weight itself, of which torch cannot tell
        return True
