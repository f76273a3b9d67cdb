"""Shampoo: an inverse fourth root on each side of a weight's gradient.

Legend: G [d_out, d_in] gradient of the weight; L [d_out, d_out] and R [d_in, d_in] sums of G G^T and G^T G;
P = L^(-1/4) G R^(-1/4).
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, final

import torch
from torch import Tensor, nn

from evabench.optimizers.descent import descend_
from evabench.optimizers.health import Health
from evabench.optimizers.kronecker import apply_both_sides
from evabench.optimizers.layers import Layer, find_layers
from evabench.optimizers.phases import phase
from evabench.optimizers.roots import inverse_root
from evabench.optimizers.scaling import inner_product, rescale_scale
from evabench.settings.optimizers import Grafting, ShampooSettings


@final
class Shampoo(torch.optim.Optimizer):
    """Shampoo without blocks (Gupta, Koren & Singer, arXiv:1802.09568). Owns state and the parameter group.

    The factors grow at every step; steps 0, k, 2k, ... with k = `refresh_every` recompute the roots. Weight matrices
    are preconditioned, biases and all else take SGD's step. After `step`, `.grad` of a weight holds its direction.
    Differs from the paper: a relative floor of the eigenvalues in place of a multiple of the identity.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        lr: float = 0.1,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        beta2: float = 1.0,
        epsilon: float = 1e-6,
        grafting: Grafting = "sgd",
        refresh_every: int = 1,
    ) -> None:
        settings = ShampooSettings(
            lr=lr,
            momentum=momentum,
            weight_decay=weight_decay,
            beta2=beta2,
            epsilon=epsilon,
            grafting=grafting,
            refresh_every=refresh_every,
        )
        self.layers = find_layers(model, (nn.Linear,))
        self.num_escalations = 0
        self.num_failures = 0
        super().__init__(model.parameters(), asdict(settings) | {"step": 0})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Update the parameters once: the factors, at a refresh their roots, then the directions."""
        loss = None if closure is None else torch.enable_grad()(closure)()
        group = self.param_groups[0]
        for layer in self.layers:
            G = layer.weight.grad
            if G is None:
                continue
            state = self.state[layer.weight]
            accumulate_(state, G, group["beta2"])
            if group["step"] % group["refresh_every"] == 0:
                self._update_roots_(layer, group["epsilon"])
            if "L_root" in state:
                P = apply_both_sides(G, state["R_root"], state["L_root"])
                if group["grafting"] == "sgd":
                    P.mul_(rescale_scale(inner_product(G, G), inner_product(P, P)))
                G.copy_(P)
        for each in self.param_groups:
            descend_(each, self.state)
        group["step"] += 1
        return loss

    def health(self) -> Health:
        """Return the layers without roots yet, and the eigendecompositions that needed more damping or failed."""
        return Health(
            num_layers=len(self.layers),
            layers_without_statistics=tuple(
                each.name for each in self.layers if "L_root" not in self.state[each.weight]
            ),
            num_escalations=self.num_escalations,
            num_failures=self.num_failures,
        )

    @phase("refresh")
    def _update_roots_(self, layer: Layer, epsilon: float) -> None:
        """Recompute both roots; one that cannot be computed stays as it was."""
        state = self.state[layer.weight]
        for name in ("L", "R"):
            root, num_failed_attempts = inverse_root(state[name], 4, epsilon)
            self.num_escalations += num_failed_attempts
            if root is None:
                self.num_failures += 1
                root = state.get(f"{name}_root", torch.zeros_like(state[name]).fill_diagonal_(1))
            state[f"{name}_root"] = root

    def __getstate__(self) -> dict[str, Any]:
        names = ("layers", "num_escalations", "num_failures")
        return super().__getstate__() | {name: getattr(self, name) for name in names}


def accumulate_(state: dict[str, Any], G: Tensor, beta2: float) -> None:
    """Decay L and R by beta2, then add w G G^T and w G^T G, where w is 1 for plain sums (beta2 = 1), else 1 - beta2."""
    if "L" not in state:
        state["L"], state["R"] = G.new_zeros(G.shape[0], G.shape[0]), G.new_zeros(G.shape[1], G.shape[1])
    weight = 1.0 if beta2 == 1 else 1 - beta2
    state["L"].addmm_(G, G.T, beta=beta2, alpha=weight)
    state["R"].addmm_(G.T, G, beta=beta2, alpha=weight)
