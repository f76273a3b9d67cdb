"""Eva-s: the curvature of the gradient's own means along its axes, of rank one. No hooks.

Legend: v holds the running means of a weight's gradient along each of its axes.
"""

from dataclasses import asdict
from typing import Any, final

import torch
from torch import Tensor, nn

from evabench.optimizers.eager import eager
from evabench.optimizers.eva.averages import Update, current, find_or_start
from evabench.optimizers.eva.axis_means import AxisProjection, gradient_length, project_axes_
from evabench.optimizers.layers.weights import find_other_parameters, find_weights
from evabench.optimizers.phases import phase
from evabench.optimizers.shell.groups import Groups, check_group, name_parameters, split_groups
from evabench.optimizers.shell.health import Health, layers_without
from evabench.optimizers.shell.refusals import check_state_dict, check_step
from evabench.optimizers.shell.statistics import restore_statistics
from evabench.optimizers.step.descent import descend_groups_
from evabench.optimizers.step.loss_scale import found_infinity, gradient_scale
from evabench.optimizers.step.skips import Skips, gradient_norms
from evabench.optimizers.tensors import dense_like, in_single_precision
from evabench.settings.choices import Nesterov
from evabench.settings.eva import EvaSSettings

GRAFTING_EPSILON = 1e-16  # the authors' guard against a direction of length zero


@final
class EvaS(torch.optim.Optimizer):
    """Eva-s (arXiv:2308.02123). Owns state and parameter groups; the mathematics is in `axis_means`.

        P = G - <G, V> / (damping + |V|^2) V,  V = v_0 o v_1 o ...
        direction = P * |G| / (|P| + 1e-16)

    Every parameter with two axes or more is preconditioned, a convolution's kernel with one mean a axis, all else takes
    SGD's step. After `step`, `.grad` of a preconditioned weight holds its direction. A step with a gradient that is not
    finite is skipped as a whole, means included.
    Differs from the authors' code: heavy-ball momentum unless `nesterov` asks for theirs.
    """

    _step_supports_amp_scaling = True  # a GradScaler hands over its scale instead of reading its verdict on the host

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
        groups: Groups = (),
    ) -> None:
        settings = EvaSSettings(
            lr=lr, momentum=momentum, weight_decay=weight_decay, damping=damping, beta2=beta2, nesterov=nesterov
        )
        self.names = name_parameters(model)
        self.layers = find_weights(model)
        self.rest = find_other_parameters(model)
        self.skips = Skips(self.names)
        super().__init__(split_groups(model, groups), asdict(settings))

    @eager
    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update the parameters once, from their gradients."""
        check_step(self, closure, self.names)
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

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters of the model; raise `ValueError` for a foreign one or a bad value."""
        check_group(param_group, EvaSSettings, self.names, f"group {len(self.param_groups)}")
        super().add_param_group(param_group)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore momentum, means and settings bit for bit."""
        check_state_dict(self, state_dict, self.names)
        super().load_state_dict(state_dict)
        restore_statistics(self, state_dict, ("v",))

    def health(self) -> Health:
        """Return the layers that never had a gradient, and those that had steps skipped; waits for the device."""
        return Health(
            num_layers=len(self.layers),
            layers_without_statistics=layers_without(self.layers, self.state, "v"),
            skipped_steps=self.skips.counts(),
        )

    @phase("precondition")
    def _project_(self, parameter: nn.Parameter, group: dict[str, Any], carried: Tensor | None) -> AxisProjection:
        """Write P to `.grad`; the state keeps the means from before the step."""
        assert parameter.grad is not None
        G = parameter.grad = dense_like(parameter.grad, parameter)
        exact = in_single_precision(G)  # the one temporary of the size of a layer, where G is in half precision
        v = find_or_start(self.state[parameter], "v", exact.new_empty(sum(G.shape)))
        projection = project_axes_(
            exact, current(v, {}), damping=group["damping"], beta2=group["beta2"], divisor=carried
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

    def __getstate__(self) -> dict[str, Any]:
        names = ("layers", "rest", "names", "skips")
        return super().__getstate__() | {name: getattr(self, name) for name in names}
