"""The step that K-FAC and FOOF share, once the sums of a batch are known: factors, directions, clip, descent.

Legend: G gradient, P direction of a layer; nu the factor of the clip, one for the layers of all groups.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from evabench.optimizers.capture.capture import Capture
from evabench.optimizers.kfac.factor_inverse import is_inverted
from evabench.optimizers.kfac.factors import Fresh, renew_
from evabench.optimizers.layers.layers import Layer
from evabench.optimizers.phases import phase
from evabench.optimizers.step.descent import descend_groups_
from evabench.optimizers.step.loss_scale import found_infinity, gradient_scale
from evabench.optimizers.step.scaling import direction_divisor, inner_product
from evabench.optimizers.step.skips import Skips, gradient_norms, not_finite
from evabench.optimizers.step.troubles import Troubles
from evabench.optimizers.tensors import in_full_precision

Group = dict[str, Any]
Ready = list[tuple[Group, Layer]]


class Factored(Protocol):
    """What the step reads and writes of K-FAC or FOOF."""

    param_groups: list[Group]
    state: defaultdict[Tensor, Any]
    names: dict[nn.Parameter, str]
    capture: Capture
    skips: Skips
    troubles: Troubles

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What may be preconditioned."""


class _Directed(NamedTuple):
    """What a clip may ask of a layer; 0-d tensors."""

    inner: Tensor  # <P, G>
    squares: tuple[Tensor, Tensor] | None  # |G|^2 and |P|^2, where the clip asks for them


def step_(
    optimizer: Factored,
    fresh: Mapping[Layer, Mapping[str, Fresh]],
    invert_: Callable[[Group, Layer], None],
    direction: Callable[[Group, Layer, Tensor], Tensor],
) -> None:
    """Update the parameters once; before it the factors, from `fresh` sums, and their inverses where they are due."""
    shared = optimizer.param_groups[0]
    skip = optimizer.skips.check(gradient_norms(optimizer.names), found_infinity(optimizer))
    weight = shared["new_statistic_weight"]
    renewed = {layer: renew_(optimizer.state[layer.weight], sums, weight, skip) for layer, sums in fresh.items()}
    ready = list(_ready_layers(optimizer))
    if shared["step"] % shared["refresh_every"] == 0:
        waits = shared["factorisation"] == "eigh"
        optimizer.troubles.count_refresh([renewed.get(layer) for _, layer in ready], waits=waits)
        for group, layer in _due(optimizer, ready, renewed):
            invert_(group, layer)
    else:  # a layer whose first statistics came after the last refresh takes the plain gradient until the next
        ready = [(group, layer) for group, layer in ready if is_inverted(optimizer.state[layer.weight])]
    directed = [_direct_(layer, partial(direction, group, layer), shared["clip"]) for group, layer in ready]
    optimizer.troubles.count_failure(_descend_(optimizer, directed, ready, skip))
    if shared["step"] or ready or renewed:  # refreshes count from the first step that has statistics
        shared["step"] += 1
    optimizer.capture.enabled = expects_statistics(shared)


def expects_statistics(group: Group) -> bool:
    """Return whether the coming step updates the factors."""
    return bool(group["step"] % (group["statistics_every"] or group["refresh_every"]) == 0)


def _ready_layers(optimizer: Factored) -> Iterator[tuple[Group, Layer]]:
    """Yield the layers that have a gradient and factors, with the group of their weight."""
    group_of = {parameter: group for group in optimizer.param_groups for parameter in group["params"]}
    for layer in optimizer.capture.layers_to_precondition():
        if layer.has_gradient and "A" in optimizer.state[layer.weight]:
            yield group_of[layer.weight], layer


def _due(optimizer: Factored, ready: Ready, renewed: Mapping[Layer, Tensor]) -> Ready:
    """Return the layers to factorise: those whose bias has no gradient, too, so that no factor lacks its inverse."""
    known = {layer for _, layer in ready}
    group_of = {parameter: group for group in optimizer.param_groups for parameter in group["params"]}
    return [*ready, *((group_of[layer.weight], layer) for layer in renewed if layer not in known)]


@phase("precondition")
def _direct_(layer: Layer, direction: Callable[[Tensor], Tensor], clip: str) -> _Directed:
    """Write the direction of a layer into `.grad`, which leaves one temporary of a gradient's size alive."""
    G = layer.gradient()
    exact = in_full_precision(G)
    # In half precision P may overflow, divided by the damping as it is: what counts is the direction that is followed.
    P = in_full_precision(direction(exact).to(G.dtype))
    squares = (inner_product(exact, exact), inner_product(P, P)) if clip == "rescale" else None
    directed = _Directed(inner_product(P, exact), squares)
    layer.set_gradient_(P)
    return directed


@phase("precondition")
def _descend_(optimizer: Factored, directed: Sequence[_Directed], ready: Ready, skip: Tensor) -> Tensor | None:
    """Follow the directions, scaled by the clip, unless one is not finite; the others are SGD's.

    Returns whether the mathematics failed, a direction that is not finite from gradients that are; None without layers.
    """
    groups = optimizer.param_groups
    carried = gradient_scale(optimizer)  # by a loss that was scaled for mixed precision
    divisors: dict[nn.Parameter, Tensor] = {}
    broken = None
    if directed:
        lengths = _DirectedLengths(torch.stack([each.inner for each in directed]), directed, ready, carried)
        any_skip = torch.maximum(skip, not_finite(lengths.inners).amax())
        skip, broken = any_skip, any_skip - skip
        divisor = direction_divisor(groups[0]["clip"], lengths, groups[0]["kl_clip"])
        if divisor is not None:
            divisor = divisor if carried is None else carried * divisor
            divisors = {parameter: divisor for _, layer in ready for parameter in layer.parameters}
    descend_groups_(groups, optimizer.state, divisors=divisors, other_divisor=carried, skip=skip)
    return broken


@dataclass(frozen=True, slots=True)
class _DirectedLengths:
    """The lengths of all directions."""

    inners: Tensor  # [layers], <P, G>
    directed: Sequence[_Directed]
    ready: Ready
    carried: Tensor | None

    def inner(self) -> Tensor:
        """Return <P, G>."""
        return self._freed(self.inners.sum())

    def step_inner(self, unit: float) -> Tensor:
        """Return lr^2 <P, G> / unit.

        The rates go to the device as arguments of a kernel: a tensor of them would be a copy that the host waits for.
        """
        rates = [group["lr"] for group, _ in self.ready]
        if all(rate is rates[0] for rate in rates):
            return self._freed(self.inners.sum() * (rates[0] ** 2 / unit))
        products = torch._foreach_mul(list(self.inners.unbind()), [rate**2 / unit for rate in rates])
        return self._freed(torch.stack(products).sum())

    def gradient_square(self) -> Tensor:
        """Return |G|^2."""
        return self._freed(torch.stack([each.squares[0] for each in self.directed if each.squares]).sum())

    def direction_square(self) -> Tensor:
        """Return |P|^2."""
        return self._freed(torch.stack([each.squares[1] for each in self.directed if each.squares]).sum())

    def _freed(self, value: Tensor) -> Tensor:
        return value if self.carried is None else value / self.carried.square()
