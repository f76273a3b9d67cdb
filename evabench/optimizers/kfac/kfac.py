"""K-FAC: both Kronecker factors of the empirical Fisher, factorised every few steps.

Legend: A [d_in, d_in] and B [d_out, d_out] are the factors of a layer, running means of outer products of its inputs
and output gradients; P = B^-1 G A^-1 with the damped factors.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, final

import torch
from torch import Tensor, nn

from evabench.optimizers.capture.capture import Capture
from evabench.optimizers.capture.sums import Sums
from evabench.optimizers.kfac.factor_inverse import KEPT, inverse_names, invert_, levels, multiply_both
from evabench.optimizers.kfac.factor_sums import FactorSums
from evabench.optimizers.kfac.factored_step import expects_statistics, step_
from evabench.optimizers.kfac.factors import NUM_BATCHES, Fresh, average_factors, factor_shapes, has_factors
from evabench.optimizers.kfac.parts import find_parts
from evabench.optimizers.kfac.split_damping import split_damping
from evabench.optimizers.layers.layers import Layer
from evabench.optimizers.layers.parts import Exclude, LayerParts
from evabench.optimizers.phases import phase
from evabench.optimizers.shell.groups import Groups
from evabench.optimizers.shell.loading import Shapes
from evabench.optimizers.shell.preconditioner import Preconditioner
from evabench.optimizers.shell.statistics import Levels
from evabench.optimizers.step.loss_scale import statistics_scale
from evabench.optimizers.step.ranks import ProcessGroup, Ranks
from evabench.settings.choices import AcrossRanks, Clip, DampingScale, Factorisation, OutputGradient, WeightSharing
from evabench.settings.kronecker import KfacSettings


@final
class KFAC(Preconditioner[Layer]):
    """K-FAC (Martens & Grosse, arXiv:1503.05671). Owns hooks, state and parameter groups.

    Steps 0, s, 2s, ... with s = `statistics_every` collect the statistics; steps 0, k, 2k, ... with k = `refresh_every`
    factorise the factors, and the steps between reuse the result. Layers, groups, a `grad_scaler`, skipped steps and
    what `.grad` holds are those of `Eva`; a refresh in a skipped step takes the factors as they were, and is counted.
    Differs from the Eva authors' K-FAC: the damping never enters the running factors unless asked, no host read, and
    the output gradients are per example unless asked otherwise.
    """

    settings_class = KfacSettings
    statistics = KEPT
    of_own_type = (NUM_BATCHES,)
    pickled = ("grad_scaler", "ranks")
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
        damping_scale: DampingScale = "absolute",
        factors_keep_damping: bool = False,
        clip: Clip = "kl_clip",
        kl_clip: float = 1e-3,
        new_statistic_weight: float = 0.95,
        statistics_batch: int | None = None,
        weight_sharing: WeightSharing = "reduce",
        output_gradient: OutputGradient = "per_example",
        across_ranks: AcrossRanks = "whole_batch",
        factorisation: Factorisation = "cholesky",
        statistics_every: int | None = None,
        refresh_every: int = 10,
        max_factor: int | None = None,
        exclude: Exclude = (),
        batch_first: bool | None = None,
        groups: Groups = (),
        grad_scaler: torch.amp.GradScaler | None = None,
        process_group: ProcessGroup = None,
    ) -> None:
        settings = KfacSettings(
            lr=lr,
            momentum=momentum,
            weight_decay=weight_decay,
            damping=damping,
            damping_scale=damping_scale,
            factors_keep_damping=factors_keep_damping,
            clip=clip,
            kl_clip=kl_clip,
            new_statistic_weight=new_statistic_weight,
            statistics_batch=statistics_batch,
            weight_sharing=weight_sharing,
            output_gradient=output_gradient,
            across_ranks=across_ranks,
            factorisation=factorisation,
            statistics_every=statistics_every,
            refresh_every=refresh_every,
            max_factor=max_factor,
        )
        self.grad_scaler = grad_scaler
        self.ranks = Ranks(process_group)
        find = partial(find_parts, both_sides=True, batch_first=batch_first, exclude=exclude, max_factor=max_factor)
        super().__init__(model, find, settings, groups, step=0)
        summary = FactorSums(weight_sharing, output_gradient)
        self.capture = Capture(self.layers, summary, parts=self.parts, statistics_batch=statistics_batch)

    def _update_(self) -> None:
        """Update the parameters once; before it the factors and their inverses, where they are due."""
        step_(self, self._collect(), self._invert_, self._direction)

    def _adopt_settings(self) -> None:
        shared = self.param_groups[0]
        self.capture.statistics_batch = shared["statistics_batch"]
        self.capture.summary = FactorSums(shared["weight_sharing"], shared["output_gradient"])
        self.capture.enabled = expects_statistics(shared)  # a saved state may have moved the step

    def _shapes(self, settings: Mapping[str, Any]) -> Shapes:
        return {layer.weight: factor_shapes("A", layer) | factor_shapes("B", layer) for layer in self.layers}

    def _whole(self, settings: Mapping[str, Any]) -> tuple[Levels, ...]:
        inverses: list[tuple[str, ...]] = [inverse_names("A"), inverse_names("B")]
        if settings["factors_keep_damping"]:
            inverses += [("A_leak",), ("B_leak",)]
        return (levels([("A",), ("B",), (NUM_BATCHES,)], inverses, settings),)

    def _has_statistics(self, part: Layer) -> bool:
        return has_factors(self.state.get(part.weight, {}))

    @phase("capture")
    def _collect(self) -> dict[Layer, dict[str, Fresh]]:
        """Return the factors of the passes since the last step, none between two updates; forgets the sums."""
        if not self.capture.settle():
            return {}
        loss_scale = statistics_scale(self, self.grad_scaler)
        caught = self.capture.take()
        summed = [each for sums in caught.values() for each in _both(sums)]
        num_ranks = self.ranks.count()
        if num_ranks > 1:
            summed = average_factors(summed, self.ranks)
        if loss_scale is not None:
            for B in summed[1::2]:
                B.div_(loss_scale.to(B.dtype).square())
        # The rows are gradients of a mean loss, each with 1/N. "per_example" undoes it; "batch_mean" leaves the 1/N, as
        # the authors do, which makes B, and with it the effective damping, depend on the batch size as 1/N^2.
        shared = self.param_groups[0]
        per_example = shared["output_gradient"] == "per_example"
        # A loss is the mean over the batch of its own rank; that over the batches of all ranks has 1/ranks of its rows.
        unit = 1.0 if per_example or shared["across_ranks"] == "plain_average" else num_ranks**-2.0
        return {
            layer: {
                "A": Fresh(A, 1 / sums.num_rows),
                "B": Fresh(B, (sums.num_examples**2 if per_example else unit) / sums.num_rows),
            }
            for (layer, sums), A, B in zip(caught.items(), summed[::2], summed[1::2], strict=True)
        }

    @phase("refresh")
    def _invert_(self, group: dict[str, Any], layer: Layer) -> None:
        state, shared = self.state[layer.weight], self.param_groups[0]
        A, B = state["A"], state["B"]
        damping_A, damping_B = split_damping(A, B, group["damping"], shared["damping_scale"])
        each_time = {"factorisation": shared["factorisation"], "refresh_every": shared["refresh_every"]}
        self.troubles.add(invert_(state, "A", damping_A, other=B.shape[-1], **each_time))
        self.troubles.add(invert_(state, "B", damping_B, other=A.shape[-1], **each_time))
        if shared["factors_keep_damping"]:
            state.update(A_leak=damping_A, B_leak=damping_B)

    def _direction(self, group: dict[str, Any], layer: Layer, G: Tensor) -> Tensor:
        return multiply_both(G, self.state[layer.weight])


def _both(sums: Sums) -> tuple[Tensor, Tensor]:
    assert sums.output_gradients is not None
    return sums.inputs, sums.output_gradients
