"""ASDL's K-FAC (asdfghjkl 0.1a5, MIT) in an ordinary training loop.

Mathematics: empirical Fisher, KFAC-expand, damping split by pi (Martens & Grosse), Cholesky inverses of both factors:
that of `KFAC(weight_sharing="expand")` where no layer has a bias. A bias is treated apart: its gradient is multiplied
by the inverse of B alone, and A has no row for it.

ASDL's `KfacGradientMaker.forward_and_backward` runs model and loss itself and wants a sum over samples. Neither is
needed: `no_centered_cov`, the context it works in, only places hooks. Here it is opened in the forward pass of the
model and closed in `step`. With a mean loss each output gradient is 1/N of the sum's, so that B is multiplied by N^2
afterwards; the gradient of the mean is what the maker itself ends with. A loss that is also a mean over d outputs
has 1/d^2 of their B, as it has with ours.

Theirs, unlike ours: the running factors begin at zero, so the first is `new_statistic_weight` of a batch; factors of
the whole batch only; no clip; every inverse reads from the device. Not used: the unit-wise Fisher that the maker
gives to normalisation layers, and embeddings; both take the plain gradient, as with ours. Depthwise convolutions fail.
torch warns that ASDL's backward hooks miss some gradients of inputs; it reads those of outputs only.
"""

from contextlib import ExitStack
from typing import Any, final

import torch
from torch import nn

from evabench.optimizers.phases import phase
from evabench.peers.extra import import_peer

_PLAIN = (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.Embedding)


@final
class KFAC(torch.optim.SGD):
    """torch's SGD on the gradients that ASDL preconditions. One forward and backward pass per step.

    `refresh_every`: steps from one update of factors and inverses, which are made together, to the next.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        lr: float = 0.1,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        damping: float = 0.03,
        new_statistic_weight: float = 0.95,
        refresh_every: int = 1,
    ) -> None:
        super().__init__(model.parameters(), lr, momentum, weight_decay=weight_decay)
        self._asdl = import_peer("asdl")
        self._damping, self._new_weight, self._refresh_every = damping, new_statistic_weight, refresh_every
        self._layers = [each for each in model.modules() if isinstance(each, nn.Linear | nn.Conv2d)]
        self._factors: dict[nn.Module, Any] = {}
        self._num_steps = self._num_samples = 0
        self._capture: Any = None
        self._hooks = ExitStack()
        model.register_forward_pre_hook(self._begin_capture)

    def _begin_capture(self, model: nn.Module, inputs: tuple[Any, ...]) -> None:
        if self._num_steps % self._refresh_every or not torch.is_grad_enabled():
            return
        self._hooks.close()  # of a forward pass without a step
        shape = self._asdl.SHAPE_KRON
        self._capture = self._hooks.enter_context(
            self._asdl.no_centered_cov(model, [shape], ignore_modules=list(_PLAIN))
        )
        self._num_samples = len(inputs[0])

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update the parameters once."""
        if self._capture is not None:
            self._refresh()
        with phase("precondition"):
            for layer, factors in self._factors.items():
                bias = layer.bias.grad if isinstance(layer.bias, nn.Parameter) else None
                if factors.has_inv and layer.weight.grad is not None:
                    factors.mvp(layer.weight.grad, bias, use_inv=True, inplace=True)
        with phase("update"):
            super().step()
        self._num_steps += 1

    @phase("refresh")
    def _refresh(self) -> None:
        for layer in self._layers:
            new = self._capture.cov_symmatrix(layer, pop=True)
            if new is None or not (new.kron.has_A and new.kron.has_B):
                continue  # frozen, or not reached by this pass
            new.kron.A.mul_(self._new_weight / self._num_samples)
            new.kron.B.mul_(self._new_weight * self._num_samples)
            factors = self._factors.setdefault(layer, new.kron)
            if factors is not new.kron:
                factors.mul_(1 - self._new_weight)
                factors += new.kron
            factors.update_inv(self._damping)
            names = ("A", "B", "A_inv", "B_inv")
            self.state[layer.weight].update({name: getattr(factors, name) for name in names})
        self._hooks.close()
        self._capture = None
