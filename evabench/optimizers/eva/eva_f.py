"""Eva-f: the curvature of the mean input alone, of rank one. Nothing is read in the backward pass.

Legend: a [d_in] is the Kronecker vector of a layer, the running mean of its inputs.
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
from evabench.optimizers.eva.rank_one import project_input_side_
from evabench.optimizers.eva.small_layers import project_all_input_sides_
from evabench.optimizers.layers.layers import Layer
from evabench.optimizers.layers.parts import LayerParts
from evabench.optimizers.phases import phase
from evabench.optimizers.shell.groups import Groups
from evabench.optimizers.shell.loading import Shapes
from evabench.optimizers.shell.preconditioner import Preconditioner
from evabench.optimizers.shell.statistics import Levels
from evabench.optimizers.step.ranks import ProcessGroup, Ranks
from evabench.settings.choices import Clip, Vectors
from evabench.settings.eva import EvaFSettings


@final
class EvaF(Preconditioner[Layer]):
    """Eva-f (arXiv:2308.02123). Owns hooks, state and parameter groups; the mathematics is elsewhere.

        P = nu * (G - (G a) a^T / (damping + |a|^2))

    Layers, groups, skipped steps, what `.grad` holds and which batches count are those of `Eva`.
    """

    settings_class = EvaFSettings
    statistics = ("a",)
    pickled = ("ranks", "project_", "project_all_")
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
        clip: Clip = "kl_normalization",
        kl_clip: float = 1e-3,
        new_statistic_weight: float = 0.95,
        statistics_batch: int | None = None,
        vectors: Vectors = "on",
        compile: bool = False,
        batch_first: bool | None = None,
        groups: Groups = (),
        process_group: ProcessGroup = None,
    ) -> None:
        settings = EvaFSettings(
            lr=lr,
            momentum=momentum,
            weight_decay=weight_decay,
            damping=damping,
            clip=clip,
            kl_clip=kl_clip,
            new_statistic_weight=new_statistic_weight,
            statistics_batch=statistics_batch,
            vectors=vectors,
            compile=compile,
        )
        self.ranks = Ranks(process_group)
        self.project_ = Compiled(project_input_side_) if compile else project_input_side_
        self.project_all_ = None if compile else project_all_input_sides_
        super().__init__(model, partial(LayerParts, batch_first=batch_first), settings, groups)
        self.capture = Capture(
            self.layers,
            VectorSums(),
            parts=self.parts,
            statistics_batch=statistics_batch,
            output_gradients=False,
        )

    def _update_(self) -> None:
        """Update the parameters once, from their gradients and the inputs of the forward passes since the last step."""
        update = self._update_vectors()
        fresh = {} if update is None else update.by_layer(1)
        ready = ready_layers(
            self.capture.layers_to_precondition(),
            self.param_groups,
            self.state,
            lambda layer, state: fresh.get(layer) or (current(state["a"]),),
        )
        projected = project_layers_(ready, self.project_, self.project_all_)
        broken = take_step_(self, projected, update, names=self.names, skips=self.skips, divides=False)
        self.troubles.count_failure(broken)

    def _adopt_settings(self) -> None:
        self.capture.statistics_batch = self.param_groups[0]["statistics_batch"]

    def _shapes(self, settings: Mapping[str, Any]) -> Shapes:
        return {layer.weight: {"a": (layer.num_inputs,)} for layer in self.layers}

    def _whole(self, settings: Mapping[str, Any]) -> tuple[Levels, ...]:
        return ([[("a",)]],)

    def _has_statistics(self, part: Layer) -> bool:
        return has_value(self.state.get(part.weight, {}), "a")

    @phase("capture")
    def _update_vectors(self) -> Update | None:
        """Return the vectors before and after this step, or None where no pass was caught; forgets the sums."""
        if not self.capture.settle():
            return None
        caught = self.capture.take()
        inputs = mean_vectors(caught.values())
        averages = [
            find_or_start(self.state[layer.weight], "a", like) for layer, like in zip(caught, inputs, strict=True)
        ]
        a = torch.cat(inputs)
        fresh = self.ranks.average(a) if self.ranks.count() > 1 else a
        return update_averages(tuple(caught), averages, fresh, self.param_groups[0]["new_statistic_weight"])
