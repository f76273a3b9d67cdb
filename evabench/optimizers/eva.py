"""Eva: the rank-one curvature of mean input and mean output gradient, inverted in linear time."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, final

import torch
from torch import Tensor, nn

from evabench.optimizers.capture import Capture, Sums
from evabench.optimizers.descent import descend_
from evabench.optimizers.health import Health
from evabench.optimizers.layers import Layer, find_layers
from evabench.optimizers.rank_one import Projection, project, subtract_projection_, sum_rows
from evabench.optimizers.scaling import direction_scale
from evabench.settings.optimizers import Clip, EvaSettings, OutputGradient


@final
class Eva(torch.optim.Optimizer):
    """Eva (Zhang, Shi & Li, arXiv:2308.02123). Owns hooks, state and the parameter group; the mathematics is elsewhere.

    After `step`, `.grad` of a preconditioned layer holds its direction. Parameters of other layers take SGD's step.
    A batch counts only if the model was in training mode and its backward pass ran; several passes before one `step`
    count as one batch.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        lr: float = 0.1,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        damping: float = 0.03,
        clip: Clip = "kl_clip",
        kl_clip: float = 1e-3,
        new_statistic_weight: float = 0.95,
        statistics_batch: int | None = None,
        output_gradient: OutputGradient = "batch_mean",
    ) -> None:
        settings = EvaSettings(
            lr=lr,
            momentum=momentum,
            weight_decay=weight_decay,
            damping=damping,
            clip=clip,
            kl_clip=kl_clip,
            new_statistic_weight=new_statistic_weight,
            statistics_batch=statistics_batch,
            output_gradient=output_gradient,
        )
        self.layers = find_layers(model)
        super().__init__(model.parameters(), asdict(settings))
        self.capture = Capture(self.layers, sum_rows, statistics_batch=statistics_batch, trailing_one=False)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Update the parameters once, from their gradients and the statistics of the same backward passes."""
        loss = None if closure is None else torch.enable_grad()(closure)()
        group = self.param_groups[0]
        for layer, sums in self.capture.sums.items():
            self._update_statistics_(layer, sums, group)
        self.capture.clear()
        layers = [layer for layer in self.layers if layer.has_gradient and "a" in self.state[layer.weight]]
        if layers:
            projections = [self._precondition_(layer, group["damping"]) for layer in layers]
            directions = [gradient for layer in layers for gradient in layer.gradients()]
            torch._foreach_mul_(directions, _scale(directions, projections, group))
        for group in self.param_groups:
            descend_(group, self.state)
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, and the statistics of the passes that they came from."""
        super().zero_grad(set_to_none)
        self.capture.clear()

    def health(self) -> Health:
        """Return the layers that have no statistics yet."""
        idle = tuple(layer.name for layer in self.layers if "a" not in self.state[layer.weight])
        return Health(num_layers=len(self.layers), layers_without_statistics=idle)

    def _update_statistics_(self, layer: Layer, sums: Sums, group: dict[str, Any]) -> None:
        a = sums.inputs.div_(sums.num_rows)
        # The loss is a batch mean, so each row of the output gradient carries 1/N. Averaging the rows again, as the
        # authors do, gives 1/N of the per-example mean and makes the effective damping depend on the batch size.
        per_example = group["output_gradient"] == "per_example"
        b = sums.output_gradients.mul_((sums.num_batch_rows if per_example else 1) / sums.num_rows)
        state = self.state[layer.weight]
        if "a" not in state:
            state["a"], state["b"] = a, b
        else:
            torch._foreach_lerp_([state["a"], state["b"]], [a, b], group["new_statistic_weight"])

    def _precondition_(self, layer: Layer, damping: float) -> Projection:
        """Write damping times the direction into `.grad`."""
        state = self.state[layer.weight]
        G, *rest = layer.gradients()
        g = rest[0] if rest else None
        projection = project(G, g, state["a"], state["b"], damping)
        subtract_projection_(G, g, state["a"], state["b"], projection.c)
        return projection

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"layers": self.layers, "capture": self.capture}


def _scale(directions: list[Tensor], projections: list[Projection], group: dict[str, Any]) -> Tensor:
    """Return what the layers' D = G - c b a^T are to be multiplied by: 1/damping and the clip.

    The sums over layers come from |D|^2 alone, as sums of positive terms that cannot cancel; with q = |a|^2 |b|^2:

        <D, G> = |D|^2 + damping c^2        |G|^2 = |D|^2 + 2 damping c^2 + q c^2
    """
    damping, clip = group["damping"], group["clip"]
    c_square = torch.stack([projection.c for projection in projections]).square()
    q = torch.stack([projection.curvature for projection in projections])
    D_square = torch.stack(torch._foreach_norm(directions)).square().sum()
    inverse = 1.0 if clip == "kl_normalization" else 1 / damping  # the normalised variant leaves 1/damping out
    scale = direction_scale(
        clip,
        inner=(D_square + damping * c_square.sum()) * inverse,
        gradient_square=D_square + (c_square * (2 * damping + q)).sum(),
        direction_square=D_square * inverse**2,
        lr=group["lr"],
        kl_clip=group["kl_clip"],
    )
    return torch.full_like(D_square, inverse) if scale is None else scale * inverse
