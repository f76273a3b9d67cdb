"""FOOF: the input side of K-FAC alone. Nothing is read in the backward pass.

Legend: A [d_in, d_in] is the factor of a layer, the running mean of outer products of its inputs; w, Q its eigenvalues
and eigenvectors; gamma the damping.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, final

import torch
from torch import Tensor, nn

from evabench.optimizers.capture.capture import Capture
from evabench.optimizers.kfac.damped_solve import damped_eigen
from evabench.optimizers.kfac.factor_inverse import KEPT, TOP, inverse_names, invert_, levels, multiply_right
from evabench.optimizers.kfac.factor_sums import FactorSums
from evabench.optimizers.kfac.factored_step import expects_statistics, step_
from evabench.optimizers.kfac.factors import NUM_BATCHES, Fresh, average_factors, factor_shapes, has_factors
from evabench.optimizers.kfac.parts import find_parts
from evabench.optimizers.layers.layers import Layer
from evabench.optimizers.layers.parts import Exclude, LayerParts
from evabench.optimizers.phases import phase
from evabench.optimizers.shell.groups import Groups
from evabench.optimizers.shell.loading import Shapes
from evabench.optimizers.shell.preconditioner import Preconditioner
from evabench.optimizers.shell.statistics import Levels
from evabench.optimizers.step.ranks import ProcessGroup, Ranks
from evabench.optimizers.step.troubles import Trouble
from evabench.settings.choices import Clip, Factorisation, WeightSharing
from evabench.settings.kronecker import FoofSettings


@final
class FOOF(Preconditioner[Layer]):
    """FOOF (Benzing, arXiv:2201.12250). Owns hooks, state and parameter groups; the mathematics is elsewhere.

        P = nu * G (A + gamma I)^-1 = nu / gamma * (G + G Q (gamma / (w + gamma) - 1) Q^T)

    `top_k` keeps the k largest eigenvalues and takes the others for 0, which leaves k eigenvectors to multiply by.
    Intervals, layers, groups and skipped steps are those of `KFAC`; batches count as for `EvaF`.
    """

    settings_class = FoofSettings
    statistics = (*KEPT, *TOP)
    of_own_type = (NUM_BATCHES,)
    pickled = ("ranks",)
    capture: Capture
    parts: LayerParts

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
        factorisation: Factorisation = "cholesky",
        top_k: int | None = None,
        statistics_every: int | None = None,
        refresh_every: int = 10,
        max_factor: int | None = None,
        exclude: Exclude = (),
        batch_first: bool | None = None,
        groups: Groups = (),
        process_group: ProcessGroup = None,
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
            max_factor=max_factor,
        )
        self.ranks = Ranks(process_group)
        find = partial(find_parts, both_sides=False, batch_first=batch_first, exclude=exclude, max_factor=max_factor)
        super().__init__(model, find, settings, groups, step=0)
        summary = FactorSums(weight_sharing)
        self.capture = Capture(
            self.layers,
            summary,
            parts=self.parts,
            statistics_batch=statistics_batch,
            output_gradients=False,
        )

    def _update_(self) -> None:
        """Update the parameters once; before it the factors and their inverses, where they are due."""
        step_(self, self._collect(), self._invert_, self._direction)

    def _adopt_settings(self) -> None:
        shared = self.param_groups[0]
        self.capture.statistics_batch = shared["statistics_batch"]
        self.capture.summary = FactorSums(shared["weight_sharing"])
        self.capture.enabled = expects_statistics(shared)  # a saved state may have moved the step

    def _shapes(self, settings: Mapping[str, Any]) -> Shapes:
        return {layer.weight: factor_shapes("A", layer, settings["top_k"]) for layer in self.layers}

    def _whole(self, settings: Mapping[str, Any]) -> tuple[Levels, ...]:
        inverses = [inverse_names("A")] if settings["top_k"] is None else [(name,) for name in TOP]
        return (levels([("A",), (NUM_BATCHES,)], inverses, settings),)

    def _has_statistics(self, part: Layer) -> bool:
        return has_factors(self.state.get(part.weight, {}))

    @phase("capture")
    def _collect(self) -> dict[Layer, dict[str, Fresh]]:
        """Return the factors of the passes since the last step, none between two updates; forgets the sums."""
        if not self.capture.settle():
            return {}
        caught = self.capture.take()
        summed = [sums.inputs for sums in caught.values()]
        if self.ranks.count() > 1:
            summed = average_factors(summed, self.ranks)
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
                other=layer.d_out // layer.num_groups,
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
