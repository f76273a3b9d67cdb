"""Shampoo: an inverse root of a factor along each axis of a weight's gradient. No hooks.

Legend: G [d_0, ..., d_k] gradient of a weight, or of a block of it; F_i [d_i, d_i] the factor of axis i.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, final

import torch
from torch import Tensor, nn

from evabench.optimizers.layers.sizes import Factor, check_memory
from evabench.optimizers.layers.weights import Weight, WeightParts, find_weight_parts
from evabench.optimizers.phases import phase
from evabench.optimizers.shampoo.axis_factors import accumulate_, apply_roots
from evabench.optimizers.shampoo.blocks import Partition, partition
from evabench.optimizers.shampoo.grafting import shrinkage, step_length
from evabench.optimizers.shampoo.roots import inverse_roots
from evabench.optimizers.shell.groups import Groups
from evabench.optimizers.shell.loading import Shapes
from evabench.optimizers.shell.preconditioner import Preconditioner
from evabench.optimizers.shell.statistics import Levels
from evabench.optimizers.step.descent import descend_groups_
from evabench.optimizers.step.loss_scale import found_infinity, gradient_scale
from evabench.optimizers.step.skips import gradient_norms
from evabench.optimizers.step.troubles import Trouble
from evabench.optimizers.tensors import dense_like, in_single_precision
from evabench.settings.choices import Grafting, Nesterov, RootMethod
from evabench.settings.shampoo import ShampooSettings

WAYS_OUT = "Set max_axis, so that longer axes have no factor, or block_size, so that they have several."
LARGEST_IN_BATCH = 256  # factors up to this length are decomposed together with all others of their length


@final
class Shampoo(Preconditioner[Weight]):
    """Shampoo (Gupta, Koren & Singer, arXiv:1802.09568), for any number of axes. Owns state and parameter groups.

        F_i <- beta2 F_i + w G_i G_i^T,    P = G x_0 F_0^(-1/p) x_1 F_1^(-1/p) ...,   p = 2 * number of axes

    Every parameter with two axes or more is preconditioned, all else takes SGD's step. Steps 0, s, 2s, ... with s =
    `statistics_every` (None: k) add to the factors; steps 0, k, 2k, ... with k = `refresh_every` recompute the roots.
    After `step`, `.grad` of a preconditioned weight holds its direction. A step with a gradient that is not finite is
    skipped as a whole, factors included.
    Differs from the paper: a relative floor of the eigenvalues in place of a multiple of the identity.
    """

    settings_class = ShampooSettings
    statistics = ("factors", "roots", "grafting_squares")

    def __init__(
        self,
        model: nn.Module,
        *,
        lr: float = 0.1,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        nesterov: Nesterov = "none",
        beta2: float = 1.0,
        epsilon: float = 1e-6,
        root_order: int | None = None,
        root_method: RootMethod = "eigh",
        grafting: Grafting = "sgd",
        merge_up_to: int = 128,
        block_size: int | None = None,
        max_axis: int | None = 8192,
        statistics_every: int | None = None,
        refresh_every: int = 10,
        groups: Groups = (),
    ) -> None:
        settings = ShampooSettings(
            lr=lr,
            momentum=momentum,
            weight_decay=weight_decay,
            nesterov=nesterov,
            beta2=beta2,
            epsilon=epsilon,
            root_order=root_order,
            root_method=root_method,
            grafting=grafting,
            merge_up_to=merge_up_to,
            block_size=block_size,
            max_axis=max_axis,
            statistics_every=statistics_every,
            refresh_every=refresh_every,
        )
        super().__init__(model, partial(_find_parts, settings=asdict(settings)), settings, groups, step=0)
        self._adopt_settings()

    def _update_(self) -> None:
        """Update the parameters once: the factors, at a refresh their roots, then the directions."""
        carried = gradient_scale(self)  # by a loss that was scaled for mixed precision
        if carried is not None:
            torch._foreach_div_([each.grad for each in self.names if each.grad is not None], carried)
        norms = gradient_norms(self.names)
        skip = self.skips.check(norms, found_infinity(self))
        group = self.param_groups[0]
        gradients = {
            each.weight: self._gradient(each.weight, skip)
            for each in self.layers
            if each.has_gradient and each.weight in self.partitions
        }
        decay = None if group["beta2"] == 1 else torch.where(skip > 0, 1.0, group["beta2"])
        if group["step"] % (group["statistics_every"] or group["refresh_every"]) == 0:
            for parameter, G in gradients.items():
                self._accumulate_(parameter, G, decay)
        if group["step"] % group["refresh_every"] == 0:
            self._refresh_roots_(gradients, skip)
        divisors: dict[nn.Parameter, Tensor] = {}
        P_lengths: dict[nn.Parameter, Tensor] = {}
        for parameter, G in gradients.items():
            D_length = step_length(
                group["grafting"], G, norms[parameter], self.state[parameter], beta2=group["beta2"], decay=decay
            )
            P_lengths[parameter] = self._precondition_(parameter, G)
            if D_length is not None:
                divisors[parameter] = shrinkage(P_lengths[parameter], D_length)
        if P_lengths:
            overflown = ~torch.stack(list(P_lengths.values())).isfinite()
            self.troubles.add(Trouble(0, overflown.sum()))
            skip = torch.maximum(skip, overflown.any().to(skip))
        descend_groups_(self.param_groups, self.state, divisors=divisors, other_divisor=None, skip=skip)
        for each in self.param_groups:
            each["step"] += 1

    def _adopt_settings(self) -> None:
        shared = self.param_groups[0]
        self.partitions = _cut_all(self.layers, shared)

    def _shapes(self, settings: Mapping[str, Any]) -> Shapes:
        cuts = _cut_all(self.layers, settings)
        return {
            parameter: {
                "factors": (cut.num_factor_elements,),
                "roots": (cut.num_factor_elements,),
                "grafting_squares": cut.shape,
            }
            for parameter, cut in cuts.items()
        }

    def _whole(self, settings: Mapping[str, Any]) -> tuple[Levels, ...]:
        squares = [[("grafting_squares",)]] if settings["grafting"] in {"adagrad", "rmsprop"} else []
        return ([*squares, [("factors",), ("roots",)]],)

    def _has_statistics(self, part: Weight) -> bool:
        return bool(self.state.get(part.weight, {}).get("factors", torch.zeros(1)).any())

    def _gradient(self, parameter: nn.Parameter, skip: Tensor) -> Tensor:
        """Return G with its axes merged, zero where the step is skipped, so that no statistic learns from it."""
        assert parameter.grad is not None
        parameter.grad = dense_like(parameter.grad, parameter)
        parameter.grad.masked_fill_(skip > 0, 0.0)
        return in_single_precision(parameter.grad).reshape(self.partitions[parameter].shape)

    @phase("capture")
    def _accumulate_(self, parameter: nn.Parameter, G: Tensor, decay: Tensor | None) -> None:
        cut = self.partitions[parameter]
        state = self.state[parameter]
        if "factors" not in state:
            state["factors"] = G.new_zeros(cut.num_factor_elements)
            state["roots"] = _identity_roots(cut, G)  # until a refresh: it may come at a later step
        for block, factors in zip(cut.blocks, cut.factors(state["factors"]), strict=True):
            accumulate_(factors, cut.axes, G[block], beta2=self.param_groups[0]["beta2"], decay=decay)

    @phase("refresh")
    def _refresh_roots_(self, gradients: dict[nn.Parameter, Tensor], skip: Tensor) -> None:
        """Recompute the roots, those of one length together; one that cannot be computed stays as it was."""
        group = self.param_groups[0]
        self.troubles.count_refresh([skip == 0] * len(gradients), waits=group["root_method"] == "eigh")
        for order, pairs in self._alike(list(gradients)):
            F = torch.stack([factor for factor, _ in pairs])
            found = inverse_roots(F, order, group["epsilon"], group["root_method"])
            self.troubles.add(Trouble(found.num_failed_attempts, found.failed.sum()))
            stays = found.failed | (skip > 0).to(found.failed.device)
            for (_, root), new, keep in zip(pairs, found.roots, stays, strict=True):
                torch.where(keep, root, new, out=root)

    def _alike(self, parameters: list[nn.Parameter]) -> Iterator[tuple[int, list[tuple[Tensor, Tensor]]]]:
        """Yield the order of a root with pairs of a factor and its root, all of one length; large ones alone."""
        alike: dict[tuple[Any, ...], list[tuple[Tensor, Tensor]]] = {}
        for parameter in parameters:
            cut, state = self.partitions[parameter], self.state[parameter]
            if "factors" not in state:  # its first gradient came between two updates of the factors
                continue
            order = self.param_groups[0]["root_order"] or 2 * cut.num_factors
            for factors, roots in zip(cut.factors(state["factors"]), cut.factors(state["roots"]), strict=True):
                for F, root in zip(factors, roots, strict=True):
                    if len(F) > LARGEST_IN_BATCH:
                        yield order, [(F, root)]
                    else:
                        alike.setdefault((order, len(F), F.dtype, F.device), []).append((F, root))
        yield from ((key[0], pairs) for key, pairs in alike.items())

    @phase("precondition")
    def _precondition_(self, parameter: nn.Parameter, G: Tensor) -> Tensor:
        """Write P to `.grad` and return |P|; a weight whose gradient came after the last refresh keeps G."""
        assert parameter.grad is not None
        cut, state = self.partitions[parameter], self.state[parameter]
        if "roots" in state:
            roots = cut.factors(state["roots"])
            if len(cut.blocks) == 1:
                P = apply_roots(roots[0], cut.axes, G)
            else:
                P = torch.empty_like(G)
                for block, each in zip(cut.blocks, roots, strict=True):
                    P[block] = apply_roots(each, cut.axes, G[block])
            parameter.grad.copy_(P.view(parameter.shape))
        length: Tensor = torch.linalg.vector_norm(parameter.grad, dtype=G.dtype)
        return length


def _identity_roots(cut: Partition, G: Tensor) -> Tensor:
    flat = G.new_zeros(cut.num_factor_elements)
    for block in cut.factors(flat):
        for root in block:
            root.fill_diagonal_(1.0)
    return flat


def _cut(weight: Tensor, settings: Mapping[str, Any]) -> Partition:
    return partition(
        tuple(weight.shape),
        merge_up_to=settings["merge_up_to"],
        block_size=settings["block_size"],
        max_axis=settings["max_axis"],
    )


def _cut_all(weights: Sequence[Weight], settings: Mapping[str, Any]) -> dict[nn.Parameter, Partition]:
    cuts = {each.weight: _cut(each.weight, settings) for each in weights}
    return {weight: cut for weight, cut in cuts.items() if cut.axes}


def _find_parts(model: nn.Module, settings: Mapping[str, Any]) -> WeightParts:
    """Return the weights with their long axes named; raise `ValueError` for a factor without room in the memory."""

    def remark(weight: nn.Parameter) -> tuple[bool, str]:
        cut = _cut(weight, settings)
        long = [str(length) for axis, length in enumerate(cut.shape) if axis not in cut.axes]
        words = f"no factor of axes longer than max_axis = {settings['max_axis']}: {', '.join(long)}" if long else ""
        return bool(cut.axes), words

    parts = find_weight_parts(model, remark)
    sizes = ((each, size) for each in parts.layers for size in _cut(each.weight, settings).factor_sizes())
    check_memory((Factor(each.name, each.weight, size) for each, size in sizes), "Shampoo", WAYS_OUT)
    return parts
