"""Eva: the rank-one curvature of mean input and mean output gradient, inverted in linear time.

Legend: a [d_in] and b [d_out] are the Kronecker vectors of a layer, running means of its inputs and output gradients.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, final

import torch
from torch import nn

from evabench.optimizers.capture.capture import Capture
from evabench.optimizers.capture.summaries import VectorSums
from evabench.optimizers.capture.sums import mean_vectors
from evabench.optimizers.eva.averages import Update, current, find_or_start, has_value, update_averages
from evabench.optimizers.eva.compiled import Compiled
from evabench.optimizers.eva.projected_step import project_layers_, ready_layers, take_step_
from evabench.optimizers.eva.rank_one import project_both_sides_
from evabench.optimizers.eva.small_layers import project_all_both_sides_
from evabench.optimizers.layers.layers import Layer
from evabench.optimizers.layers.parts import LayerParts
from evabench.optimizers.phases import phase
from evabench.optimizers.shell.groups import Groups
from evabench.optimizers.shell.loading import Shapes
from evabench.optimizers.shell.preconditioner import Preconditioner
from evabench.optimizers.shell.statistics import Levels
from evabench.optimizers.step.loss_scale import statistics_scale
from evabench.optimizers.step.ranks import ProcessGroup, Ranks
from evabench.settings.choices import AcrossRanks, Clip, EvaOutputGradient, Vectors
from evabench.settings.eva import EvaSettings


@final
class Eva(Preconditioner[Layer]):
    """Eva (Zhang, Shi & Li, arXiv:2308.02123). Owns hooks, state and parameter groups; the mathematics is elsewhere.

    Linear and convolution layers are preconditioned, all other parameters take SGD's step; `coverage` lists both.
    After `step`, `.grad` of a preconditioned layer holds its direction. A batch counts only if the model was in
    training mode and its backward pass put the gradient in `.grad`; several passes before one `step` count as one
    batch. A gradient that the user has put together takes a plain step, unless the passes ran inside of `accumulating`.
    A step with a gradient that is not finite changes nothing and is counted (`health`).

    `groups` are parameter groups with an `lr`, `momentum`, `weight_decay` or `damping` of their own; parameters in none
    form a last group. A layer belongs to the group of its weight, and one clip scales all layers. `grad_scaler` is
    needed only where a `torch.amp.GradScaler` unscales the gradients before `scaler.step`. With a process group, every
    rank must use the same layers at a step; `process_group` says which ranks share the model: None, those of the
    default group; False, none, this one has a model of its own.

    `compile` takes the projection of a layer through `torch.compile`, at the first step: for GPUs that wait for their
    host. Slower on both so far: on an H100 (docs/gpu.md) and on a CPU (docs/optimizer-cost.md).
    """

    settings_class = EvaSettings
    statistics = ("a", "b")
    pickled = ("grad_scaler", "ranks", "project_", "project_all_")
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
        new_statistic_weight: float = 0.95,
        statistics_batch: int | None = None,
        output_gradient: EvaOutputGradient = "batch_mean",
        across_ranks: AcrossRanks = "whole_batch",
        vectors: Vectors = "on",
        compile: bool = False,
        batch_first: bool | None = None,
        groups: Groups = (),
        grad_scaler: torch.amp.GradScaler | None = None,
        process_group: ProcessGroup = None,
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
            across_ranks=across_ranks,
            vectors=vectors,
            compile=compile,
        )
        self.grad_scaler = grad_scaler
        self.ranks = Ranks(process_group)
        self.project_ = Compiled(project_both_sides_) if compile else project_both_sides_
        self.project_all_ = None if compile else project_all_both_sides_
        super().__init__(model, partial(LayerParts, batch_first=batch_first), settings, groups)
        self.capture = Capture(self.layers, VectorSums(), parts=self.parts, statistics_batch=statistics_batch)

    def _update_(self) -> None:
        """Update the parameters once, from their gradients and the statistics of the same backward passes."""
        shared = self.param_groups[0]
        update = self._update_vectors(shared)
        fresh = {} if update is None else update.by_layer(2)
        ready = ready_layers(
            self.capture.layers_to_precondition(),
            self.param_groups,
            self.state,
            lambda layer, state: fresh.get(layer) or (current(state["a"]), current(state["b"])),
        )
        projected = project_layers_(ready, self.project_, self.project_all_)
        # The normalised variant leaves 1 / damping out.
        divides = shared["clip"] != "kl_normalization"
        broken = take_step_(self, projected, update, names=self.names, skips=self.skips, divides=divides)
        self.troubles.count_failure(broken)

    def _adopt_settings(self) -> None:
        self.capture.statistics_batch = self.param_groups[0]["statistics_batch"]

    def _shapes(self, settings: Mapping[str, Any]) -> Shapes:
        return {layer.weight: {"a": (layer.num_inputs,), "b": (layer.d_out,)} for layer in self.layers}

    def _whole(self, settings: Mapping[str, Any]) -> tuple[Levels, ...]:
        return ([[("a",), ("b",)]],)

    def _has_statistics(self, part: Layer) -> bool:
        return has_value(self.state.get(part.weight, {}), "a")

    @phase("capture")
    def _update_vectors(self, shared: dict[str, Any]) -> Update | None:
        """Return the vectors before and after this step, or None where no pass was caught; forgets the sums."""
        if not self.capture.settle():
            return None
        scale = statistics_scale(self, self.grad_scaler)
        caught = self.capture.take()
        # The loss is a batch mean, so each row of the output gradient carries 1/N. Averaging the rows again, as the
        # authors do, gives 1/N of the per-example mean and makes the effective damping depend on the batch size.
        vectors = mean_vectors(caught.values(), shared["output_gradient"])
        fresh = torch.cat(vectors)
        gradients = fresh[sum(a.numel() for a in vectors[: len(caught)]) :]
        if scale is not None:
            gradients.div_(scale.to(gradients.dtype))
        num_ranks = self.ranks.count()
        if num_ranks > 1:
            if (shared["output_gradient"], shared["across_ranks"]) == ("batch_mean", "whole_batch"):
                gradients.div_(num_ranks)
            fresh = self.ranks.average(fresh)
        places = [(layer, name) for name in ("a", "b") for layer in caught]
        averages = [
            find_or_start(self.state[layer.weight], name, like)
            for (layer, name), like in zip(places, vectors, strict=True)
        ]
        return update_averages(tuple(caught), averages, fresh, shared["new_statistic_weight"])
