"""K-FAC: both Kronecker factors of the empirical Fisher, inverted every few steps."""

from dataclasses import asdict
from typing import Any, final

import torch
from torch import Tensor, nn

from evabench.optimizers.averages import find_or_start
from evabench.optimizers.capture import Capture, Sums
from evabench.optimizers.descent import descend_
from evabench.optimizers.groups import name_parameters
from evabench.optimizers.health import Health, layers_without
from evabench.optimizers.kronecker import apply_both_sides, damped_inverse, split_damping
from evabench.optimizers.layers import Layer, find_layers, find_rest
from evabench.optimizers.phases import phase
from evabench.optimizers.refusals import check_step
from evabench.optimizers.scaling import Lengths, direction_scale, inner_product
from evabench.optimizers.skips import Skips, gradient_norms
from evabench.optimizers.summaries import FactorSums
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
        self.names = name_parameters(model)
        self.layers = find_layers(model, (nn.Linear,))
        self.rest = find_rest(model, self.layers, (nn.Linear,))
        self.skips = Skips(self.names)
        self.capture = Capture(self.layers, FactorSums(), statistics_batch=statistics_batch)
        self.num_escalations: Tensor | int = 0  # on the device after the first refresh
        self.num_failures: Tensor | int = 0
        super().__init__(model.parameters(), asdict(settings) | {"step": 0})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update the parameters once; at a refresh, the factors and their inverses first.

        A step with a gradient that is not finite changes nothing, and is counted.
        """
        check_step(self, closure, self.names)
        group = self.param_groups[0]
        skip = self.skips.check(gradient_norms(self.names))
        is_sound = skip == 0
        for layer, sums in self.capture.sums.items():  # empty between refreshes
            self._update_factors_(layer, sums, group, is_sound)
            self._invert_(layer, group, is_sound)
        self.capture.clear()
        layers = [layer for layer in self.layers if layer.has_gradient and "A_inverse" in self.state[layer.weight]]
        if layers:
            self._precondition_(layers, group)
        for each in self.param_groups:
            descend_(each, self.state, skip=skip)
        group["step"] += 1
        self.capture.enabled = _is_refresh(group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, and the statistics of the passes that they came from."""
        super().zero_grad(set_to_none)
        self.capture.clear()

    def health(self) -> Health:
        """Return layers without statistics, and factorisations that needed more damping; waits for the device."""
        return Health(
            num_layers=len(self.layers),
            layers_without_statistics=layers_without(self.layers, self.state, "A"),
            skipped_steps=self.skips.counts(),
            num_escalations=int(self.num_escalations),
            num_failures=int(self.num_failures),
        )

    @phase("capture")
    def _update_factors_(self, layer: Layer, sums: Sums, group: dict[str, Any], is_sound: Tensor) -> None:
        assert sums.output_gradients is not None
        A = sums.inputs / sums.num_rows
        # The rows are gradients of a mean loss, each with 1/N. "per_example" undoes it; "batch_mean" leaves the 1/N, as
        # the authors do, which makes B, and with it the effective damping, depend on the batch size as 1/N^2.
        per_example = group["output_gradient"] == "per_example"
        B = sums.output_gradients * ((sums.num_examples**2 if per_example else 1) / sums.num_rows)
        state = self.state[layer.weight]
        for name, fresh in (("A", A), ("B", B)):
            before = find_or_start(state, name, fresh)
            after = torch.where(before.isnan(), fresh, torch.lerp(before, fresh, group["new_statistic_weight"]))
            state[name] = torch.where(is_sound, after, before)

    @phase("refresh")
    def _invert_(self, layer: Layer, group: dict[str, Any], is_sound: Tensor) -> None:
        state = self.state[layer.weight]
        dampings = split_damping(state["A"], state["B"], group["damping"], group["damping_scale"])
        for name, damping in zip(("A", "B"), dampings, strict=True):
            inverse, escalated, failed = damped_inverse(state[name], damping)
            before = state.get(f"{name}_inverse")
            before = torch.zeros_like(inverse).fill_diagonal_(1) if before is None else before
            state[f"{name}_inverse"] = torch.where(is_sound, inverse, before)
            self.num_escalations = (escalated & is_sound) + self.num_escalations
            self.num_failures = (failed & is_sound) + self.num_failures

    @phase("precondition")
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
        total = sum(inner[1:], inner[0])
        scale = direction_scale(
            group["clip"],
            Lengths(
                total,
                group["lr"] ** 2 * total,
                sum(gradient_square, torch.zeros_like(total)),
                sum(direction_square, torch.zeros_like(total)),
            ),
            group["kl_clip"],
        )
        if scale is not None:
            torch._foreach_mul_([gradient for layer in layers for gradient in layer.gradients()], scale)

    def __getstate__(self) -> dict[str, Any]:
        names = ("layers", "rest", "names", "capture", "skips", "num_escalations", "num_failures")
        return super().__getstate__() | {name: getattr(self, name) for name in names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.capture.enabled = _is_refresh(self.param_groups[0])  # `load_state_dict` may have moved the step


def _is_refresh(group: dict[str, Any]) -> bool:
    return bool(group["step"] % group["refresh_every"] == 0)
