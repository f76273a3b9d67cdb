"""Which passes through a layer are training passes: those that lead to a gradient of the layer's own weight.

All but `find_destination` is asked at every pass of every layer, and takes less than a microsecond on the host.
"""

from typing import Literal, TypeGuard

import torch
from torch import Tensor, nn

from evabench.optimizers.layers.layers import KINDS, Layer, Plain

Destination = Literal["nowhere", "the caller", ".grad"]  # of the gradient of a weight


def is_transformed() -> bool:
    """Return whether a transform of `torch.func` or `torch.jit.trace` runs: it reads the model, and trains nothing."""
    return torch._C._functorch.peek_interpreter_stack() is not None or torch._C._get_tracing_state() is not None


def uses_own_weight(layer: Layer, module: nn.Module) -> bool:
    """Return whether the module multiplies by its own weight.

    `torch.func.functional_call` puts others in its place, a teacher's or an average's; a parametrization computes one.
    """
    return module._parameters.get("weight") is layer.weight


def is_product(inputs: object, output: object, module: Plain) -> TypeGuard[Tensor]:
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


def find_destination(weight: Tensor, gradient: Tensor) -> Destination:
    """Return where the backward pass that runs, and has this gradient on its way, takes the gradient of a weight.

    One for the gradient of an input alone takes it nowhere, as those of adversarial examples and gradient penalties do;
    so does one for many gradients at once (`is_grads_batched`), which trains nothing. `autograd.grad` takes it to the
    caller, who may only look at it.
    """
    if torch._C._functorch.is_legacy_batchedtensor(gradient) or is_transformed():
        return "nowhere"
    with torch.enable_grad():
        view = weight.view_as(weight).grad_fn
    if view is None:  # frozen since the forward pass
        return "nowhere"
    try:
        runs = torch._C._will_engine_execute_node(view.next_functions[0][0])  # type: ignore[arg-type]
    except RuntimeError:  # torch cannot tell of what `autograd.grad` returns
        return "the caller"
    return ".grad" if runs else "nowhere"
