"""Eva-s: the curvature of the gradient's own means along its axes, of rank one. No hooks.

Legend: v holds the running means of a weight's gradient along each of its axes.
"""

from collections.abc import Mapping
from typing import Any, final

import torch
from torch import Tensor, nn

from evabench.optimizers.eva.ablation import solving_damping
from evabench.optimizers.eva.averages import Update, current, find_or_start, has_value
from evabench.optimizers.eva.axis_means import AxisProjection, gradient_length, project_axes_
from evabench.optimizers.layers.weights import Weight, find_weight_parts
from evabench.optimizers.phases import phase
from evabench.optimizers.shell.groups import Groups
from evabench.optimizers.shell.loading import Shapes
from evabench.optimizers.shell.preconditioner import Preconditioner
from evabench.optimizers.shell.statistics import Levels
from evabench.optimizers.step.descent import descend_groups_
from evabench.optimizers.step.loss_scale import found_infinity, gradient_scale
from evabench.optimizers.step.skips import gradient_norms
from evabench.optimizers.tensors import dense_like, in_single_precision
from evabench.settings.choices import Nesterov, Vectors
from evabench.settings.eva import EvaSSettings

GRAFTING_EPSILON = 1e-16  # the authors' guard against a direction of length zero


@final
class EvaS(Preconditioner[Weight]):
    """Eva-s (arXiv:2308.02123). Owns state and parameter groups; the mathematics is in `axis_means`.

        P = G - <G, V> / (damping + |V|^2) V,  V = v_0 o v_1 o ...
        direction = P * |G| / (|P| + 1e-16)

    Every parameter with two axes or more is preconditioned, a convolution's kernel with one mean per axis, all else
    takes SGD's step. After `step`, `.grad` of a preconditioned weight holds its direction. A step with a gradient
    that is not finite is skipped as a whole, means included.
    Differs from the authors' code: heavy-ball momentum unless `nesterov` asks for theirs.
    """

    settings_class = EvaSSettings
    statistics = ("v",)

    def __init__(
        self,
        model: nn.Module,
        *,
        lr: float = 0.1,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        damping: float = 0.03,
        beta2: float = 1.0,
        nesterov: Nesterov = "none",
        vectors: Vectors = "on",
        groups: Groups = (),
    ) -> None:
        settings = EvaSSettings(
            lr=lr,
            momentum=momentum,
            weight_decay=weight_decay,
            damping=damping,
            beta2=beta2,
            nesterov=nesterov,
            vectors=vectors,
        )
        super().__init__(model, find_weight_parts, settings, groups)

    def _update_(self) -> None:
        """Update the parameters once, from their gradients."""
        carried = gradient_scale(self)  # by a loss that was scaled for mixed precision
        group_of = {parameter: group for group in self.param_groups for parameter in group["params"]}
        projections: dict[nn.Parameter, AxisProjection] = {}
        for parameter in (weight.weight for weight in self.layers if weight.has_gradient):
            projections[parameter] = self._project_(parameter, group_of[parameter], carried)
        norms = gradient_norms(self.names)
        skip = self.skips.check(norms, found_infinity(self))
        self._commit_means_(projections, skip)
        divisors: dict[nn.Parameter, Tensor] = {}
        for parameter, projection in projections.items():
            P_length = norms[parameter]
            G_length = gradient_length(P_length, projection, group_of[parameter]["damping"])
            shrinkage = (P_length + GRAFTING_EPSILON) / G_length
            divisors[parameter] = shrinkage if carried is None else shrinkage * carried
        descend_groups_(self.param_groups, self.state, divisors=divisors, other_divisor=carried, skip=skip)

    def _adopt_settings(self) -> None:
        """Nothing is built from the settings: each step reads them."""

    def _shapes(self, settings: Mapping[str, Any]) -> Shapes:
        return {each.weight: {"v": (sum(each.weight.shape),)} for each in self.layers}

    def _whole(self, settings: Mapping[str, Any]) -> tuple[Levels, ...]:
        return ([[("v",)]],)

    def _has_statistics(self, part: Weight) -> bool:
        return has_value(self.state.get(part.weight, {}), "v")

    @phase("precondition")
    def _project_(self, parameter: nn.Parameter, group: dict[str, Any], carried: Tensor | None) -> AxisProjection:
        """Write P to `.grad`; the state keeps the means from before the step."""
        assert parameter.grad is not None
        G = parameter.grad = dense_like(parameter.grad, parameter)
        exact = in_single_precision(G)  # the one temporary of the size of a layer, where G is in half precision
        v = find_or_start(self.state[parameter], "v", exact.new_empty(sum(G.shape)))
        projection = project_axes_(
            exact, current(v), damping=solving_damping(group), beta2=group["beta2"], divisor=carried
        )
        if exact is not G:
            G.copy_(exact)
        return projection

    @phase("capture")
    def _commit_means_(self, projections: dict[nn.Parameter, AxisProjection], skip: Tensor) -> None:
        if projections:
            means = [self.state[parameter]["v"] for parameter in projections]
            after = torch.cat([projection.means for projection in projections.values()])
            Update(averages=means, before=torch.cat(means), after=after).commit_(skip)
