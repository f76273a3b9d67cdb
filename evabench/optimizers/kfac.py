"""K-FAC: both Kronecker factors of the empirical Fisher, inverted every few steps."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, final

import torch
from torch import Tensor, nn

from evabench.optimizers.capture import Capture, Sums
from evabench.optimizers.descent import descend_
from evabench.optimizers.health import Health
from evabench.optimizers.kronecker import apply_both_sides, damped_inverse, split_damping, sum_outer_products
from evabench.optimizers.layers import Layer, find_layers
from evabench.optimizers.scaling import direction_scale, inner_product
from evabench.settings.optimizers import Clip, DampingScale, KfacSettings, OutputGradient


@final
class KFAC(torch.optim.Optimizer):
    """K-FAC (Martens & Grosse, arXiv:1503.05671). Owns hooks, state and the parameter group.

    Steps 0, k, 2k, ... with k = `refresh_every` collect the statistics and invert the factors; the steps between reuse
    the inverses and collect nothing. After `step`, `.grad` of a preconditioned layer holds its direction.
    Differs from the Eva authors' K-FAC: the damping never enters the running factors, no host read, and the output
    gradients are per example unless asked otherwise.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        lr: float = 0.1,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        damping: float = 0.03,
        damping_scale: DampingScale = "absolute",
        clip: Clip = "kl_clip",
        kl_clip: float = 1e-3,
        new_statistic_weight: float = 0.95,
        statistics_batch: int | None = None,
        output_gradient: OutputGradient = "per_example",
        refresh_every: int = 1,
    ) -> None:
        settings = KfacSettings(
            lr=lr,
            momentum=momentum,
            weight_decay=weight_decay,
            damping=damping,
            damping_scale=damping_scale,
            clip=clip,
            kl_clip=kl_clip,
            new_statistic_weight=new_statistic_weight,
            statistics_batch=statistics_batch,
            output_gradient=output_gradient,
            refresh_every=refresh_every,
        )
        self.layers = find_layers(model)
        self.capture = Capture(self.layers, sum_outer_products, statistics_batch=statistics_batch, trailing_one=True)
        self.num_escalations: Tensor | int = 0  # on the device after the first refresh
        self.num_failures: Tensor | int = 0
        super().__init__(model.parameters(), asdict(settings) | {"step": 0})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Update the parameters once; at a refresh, the factors and their inverses first."""
        loss = None if closure is None else torch.enable_grad()(closure)()
        group = self.param_groups[0]
        for layer, sums in self.capture.sums.items():  # empty between refreshes
            self._update_factors_(layer, sums, group)
            self._invert_(layer, group)
        self.capture.clear()
        layers = [layer for layer in self.layers if layer.has_gradient and "A_inverse" in self.state[layer.weight]]
        if layers:
            self._precondition_(layers, group)
        for each in self.param_groups:
            descend_(each, self.state)
        group["step"] += 1
        self.capture.enabled = _is_refresh(group)
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, and the statistics of the passes that they came from."""
        super().zero_grad(set_to_none)
        self.capture.clear()

    def health(self) -> Health:
        """Return layers without statistics, and factorisations that needed more damping; waits for the device."""
        return Health(
            num_layers=len(self.layers),
            layers_without_statistics=tuple(each.name for each in self.layers if "A" not in self.state[each.weight]),
            num_escalations=int(self.num_escalations),
            num_failures=int(self.num_failures),
        )

    def _update_factors_(self, layer: Layer, sums: Sums, group: dict[str, Any]) -> None:
        A = sums.inputs.div_(sums.num_rows)
        # The rows are gradients of a mean loss, each with 1/N. "per_example" undoes it; "batch_mean" leaves the 1/N, as
        # the authors do, which makes B, and with it the effective damping, depend on the batch size as 1/N^2.
        per_example = group["output_gradient"] == "per_example"
        B = sums.output_gradients.mul_((sums.num_batch_rows**2 if per_example else 1) / sums.num_rows)
        state = self.state[layer.weight]
        if "A" not in state:
            state["A"], state["B"] = A, B
        else:
            torch._foreach_lerp_([state["A"], state["B"]], [A, B], group["new_statistic_weight"])

    def _invert_(self, layer: Layer, group: dict[str, Any]) -> None:
        state = self.state[layer.weight]
        dampings = split_damping(state["A"], state["B"], group["damping"], group["damping_scale"])
        for name, damping in zip(("A", "B"), dampings, strict=True):
            state[f"{name}_inverse"], escalated, failed = damped_inverse(state[name], damping)
            self.num_escalations = escalated + self.num_escalations
            self.num_failures = failed + self.num_failures

    def _precondition_(self, layers: list[Layer], group: dict[str, Any]) -> None:
        """Write the directions into `.grad`, one layer at a time: a single temporary of a gradient's size is alive."""
        inner, gradient_square, direction_square = [], [], []
        for layer in layers:
            state = self.state[layer.weight]
            G = layer.gradient()
            P = apply_both_sides(G, state["A_inverse"], state["B_inverse"])
            inner.append(inner_product(P, G))
            if group["clip"] == "rescale":
                gradient_square.append(inner_product(G, G))
                direction_square.append(inner_product(P, P))
            layer.set_gradient_(P)
        scale = direction_scale(
            group["clip"],
            inner=sum(inner[1:], inner[0]),
            gradient_square=sum(gradient_square, torch.zeros_like(inner[0])),
            direction_square=sum(direction_square, torch.zeros_like(inner[0])),
            lr=group["lr"],
            kl_clip=group["kl_clip"],
        )
        if scale is not None:
            torch._foreach_mul_([gradient for layer in layers for gradient in layer.gradients()], scale)

    def __getstate__(self) -> dict[str, Any]:
        names = ("layers", "capture", "num_escalations", "num_failures")
        return super().__getstate__() | {name: getattr(self, name) for name in names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.capture.enabled = _is_refresh(self.param_groups[0])  # `load_state_dict` may have moved the step


def _is_refresh(group: dict[str, Any]) -> bool:
    return bool(group["step"] % group["refresh_every"] == 0)
