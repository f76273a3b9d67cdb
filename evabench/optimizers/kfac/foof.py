"""FOOF: the input side of K-FAC alone. No hook in the backward pass.

Legend: A [d_in, d_in] is the factor of a layer, the running mean of outer products of its inputs; w, Q its eigenvalues
and eigenvectors; gamma the damping.
"""

from dataclasses import asdict
from typing import Any, final

import torch
from torch import Tensor, nn

from evabench.optimizers.capture.capture import Capture
from evabench.optimizers.eager import eager
from evabench.optimizers.kfac.damped_solve import damped_eigen
from evabench.optimizers.kfac.factor_inverse import KEPT, TOP, invert_, multiply_right
from evabench.optimizers.kfac.factor_sums import FactorSums
from evabench.optimizers.kfac.factored_step import expects_statistics, step_
from evabench.optimizers.kfac.factors import Fresh, average_factors, layers_without_factors
from evabench.optimizers.layers.layers import Layer, find_layers, find_rest
from evabench.optimizers.phases import phase
from evabench.optimizers.shell.groups import Groups, check_group, name_parameters, split_groups
from evabench.optimizers.shell.health import Health
from evabench.optimizers.shell.refusals import check_state_dict, check_step
from evabench.optimizers.shell.statistics import restore_statistics
from evabench.optimizers.step.ranks import num_ranks
from evabench.optimizers.step.skips import Skips
from evabench.optimizers.step.troubles import Trouble, Troubles
from evabench.settings.choices import Clip, Factorisation, WeightSharing
from evabench.settings.kronecker import FoofSettings


@final
class FOOF(torch.optim.Optimizer):
    """FOOF (Benzing, arXiv:2201.12250). Owns hooks, state and parameter groups; the mathematics is elsewhere.

        P = nu * G (A + gamma I)^-1 = nu / gamma * (G + G Q (gamma / (w + gamma) - 1) Q^T)

    `top_k` keeps the k largest eigenvalues and takes the others for 0, which leaves k eigenvectors to multiply by.
    Intervals, layers, groups and skipped steps are those of `KFAC`; batches count as for `EvaF`.
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
        clip: Clip = "kl_clip",
        kl_clip: float = 1e-3,
        new_statistic_weight: float = 1.0,
        statistics_batch: int | None = None,
        weight_sharing: WeightSharing = "reduce",
        factorisation: Factorisation = "eigh",
        top_k: int | None = None,
        statistics_every: int | None = None,
        refresh_every: int = 1,
        groups: Groups = (),
    ) -> None:
        settings = FoofSettings(
            lr=lr,
            momentum=momentum,
            weight_decay=weight_decay,
            damping=damping,
            clip=clip,
            kl_clip=kl_clip,
            new_statistic_weight=new_statistic_weight,
            statistics_batch=statistics_batch,
            weight_sharing=weight_sharing,
            factorisation=factorisation,
            top_k=top_k,
            statistics_every=statistics_every,
            refresh_every=refresh_every,
        )
        self.names = name_parameters(model)
        self.layers = find_layers(model)
        self.rest = find_rest(model, self.layers)
        self.skips = Skips(self.names)
        self.troubles = Troubles()
        super().__init__(split_groups(model, groups), asdict(settings) | {"step": 0})
        summary = FactorSums(weight_sharing)
        self.capture = Capture(self.layers, summary, statistics_batch=statistics_batch, output_gradients=False)

    @eager
    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update the parameters once; before it the factors and their inverses, where they are due."""
        check_step(self, closure, self.names)
        step_(self, self._collect(), self._invert_, self._direction)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, and the statistics of the passes that they came from.

        Those of a forward pass whose backward pass is still to come are kept.
        """
        super().zero_grad(set_to_none)
        self.capture.doubt()

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters of the model; raise `ValueError` for a foreign one or a bad value."""
        check_group(param_group, FoofSettings, self.names, f"group {len(self.param_groups)}")
        super().add_param_group(param_group)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore momentum, factors, inverses and settings bit for bit."""
        check_state_dict(self, state_dict, self.names)
        super().load_state_dict(state_dict)
        restore_statistics(self, state_dict, (*KEPT, *TOP))
        self.capture.statistics_batch = self.param_groups[0]["statistics_batch"]
        self.capture.summary = FactorSums(self.param_groups[0]["weight_sharing"])

    def health(self) -> Health:
        """Return layers without statistics, skipped steps and trouble with factorisations; waits for the device."""
        return Health(
            num_layers=len(self.layers),
            layers_without_statistics=layers_without_factors(self.layers, self.state),
            skipped_steps=self.skips.counts(),
            **self.troubles.counts(),
        )

    @phase("capture")
    def _collect(self) -> dict[Layer, dict[str, Fresh]]:
        """Return the factors of the passes since the last step, none between two updates; forgets the sums."""
        caught = dict(self.capture.sums)
        self.capture.clear()
        summed = [sums.inputs for sums in caught.values()]
        if caught and num_ranks() > 1:
            summed = average_factors(summed)
        return {
            layer: {"A": Fresh(A, 1 / sums.num_rows)} for (layer, sums), A in zip(caught.items(), summed, strict=True)
        }

    @phase("refresh")
    def _invert_(self, group: dict[str, Any], layer: Layer) -> None:
        state, shared = self.state[layer.weight], self.param_groups[0]
        A = state["A"]
        damping = A.new_full(A.shape[:-2], group["damping"])
        if shared["top_k"] is None:
            trouble = invert_(
                state,
                "A",
                damping,
                shared["factorisation"],
                other=layer.weight.shape[0] // layer.num_groups,
                refresh_every=shared["refresh_every"],
            )
        else:
            eigen = damped_eigen(A)
            trouble = Trouble(eigen.num_failed_attempts, int(eigen.failed))
            w, Q = eigen.w[..., -shared["top_k"] :], eigen.Q[..., -shared["top_k"] :]
            # The whole decomposition would stay alive behind views.
            state.update(A_vectors=Q.clone(), A_gains=group["damping"] / (w + group["damping"]) - 1)
        self.troubles.add(trouble)

    def _direction(self, group: dict[str, Any], layer: Layer, G: Tensor) -> Tensor:
        """Return G (A + damping * I)^-1, with the k largest eigenvalues of A where only these are kept."""
        state = self.state[layer.weight]
        if "A_vectors" not in state:
            return multiply_right(G, state, "A")
        Q, gains = state["A_vectors"], state["A_gains"].unsqueeze(-2)
        return torch.add(G, (G @ Q) * gains @ Q.mT).div_(group["damping"])

    def __getstate__(self) -> dict[str, Any]:
        names = ("layers", "rest", "names", "capture", "skips", "troubles")
        return super().__getstate__() | {name: getattr(self, name) for name in names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.capture.enabled = expects_statistics(self.param_groups[0])  # `load_state_dict` may have moved the step
