"""Steps that are skipped because a gradient is not finite: decided and counted on the device."""

from collections.abc import Iterable, Mapping
from typing import final

import torch
from torch import Tensor, nn

from evabench.optimizers.tensors import in_full_precision


@final
class Skips:
    """Counts, parameter by parameter, the steps that it has spoiled."""

    def __init__(self, names: Mapping[nn.Parameter, str]) -> None:
        """Take the parameters with their names in the model."""
        self._names = dict(names)
        self._counts: Tensor | None = None  # in the order of the names, without those of `_spoiled`
        self._order: list[nn.Parameter] = []  # of the last sizes
        self._spoiled: Tensor | None = None  # what was counted since it is the order; exact up to 2^24

    def add(self, names: Mapping[nn.Parameter, str]) -> None:
        """Take more parameters, which have spoiled nothing so far."""
        self._names |= names
        if self._counts is not None:
            self._counts = torch.cat((self._counts, self._counts.new_zeros(len(names))))

    def check(self, sizes: Mapping[nn.Parameter, Tensor], found_inf: Tensor | None = None) -> Tensor:
        """Return 1 if this step must be skipped, else 0, in single precision: what torch calls `found_inf`.

        `sizes` are 0-d tensors, finite where the gradients of this step are, such as their norms; a loss scaler may
        have found an infinity before.
        """
        return self.check_all(list(sizes), torch.stack(list(sizes.values())), found_inf)

    def check_all(self, order: list[nn.Parameter], sizes: Tensor, found_inf: Tensor | None = None) -> Tensor:
        """Do the same with sizes in one vector, those of the parameters in this order."""
        bad = not_finite(sizes)
        if self._spoiled is None or not _is_same(order, self._order):
            self._sort_counts()
            self._order, self._spoiled = order, torch.zeros_like(bad)
        self._spoiled.add_(bad)
        skip = bad.amax()
        return skip if found_inf is None else torch.maximum(skip, found_inf.to(skip))

    def counts(self) -> dict[str, int]:
        """Return how many steps each layer has spoiled, without those that spoiled none; waits for the device."""
        self._sort_counts()
        counts: dict[str, int] = {}
        if self._counts is not None:
            for name, count in zip(self._names.values(), self._counts.tolist(), strict=True):
                layer = name.rpartition(".")[0] or name
                counts[layer] = max(count, counts.get(layer, 0))
        return {layer: count for layer, count in counts.items() if count}

    def _sort_counts(self) -> None:
        """Add what was counted in the last order to the counts of the names."""
        if self._spoiled is None:
            return
        device = self._spoiled.device
        if self._counts is None:
            self._counts = torch.zeros(len(self._names), dtype=torch.long, device=device)
        place_of = {parameter: place for place, parameter in enumerate(self._names)}
        places = torch.tensor([place_of[parameter] for parameter in self._order], device=device)
        self._counts.index_add_(0, places, self._spoiled.long())
        self._spoiled = None


def not_finite(sizes: Tensor) -> Tensor:
    """Return 1 where a size is infinite or no number, since 0 times it is not 0, else 0; in single precision."""
    return (sizes * 0).ne_(0).float()


def _is_same(one: list[nn.Parameter], other: list[nn.Parameter]) -> bool:
    return len(one) == len(other) and all(left is right for left, right in zip(one, other, strict=True))


def gradient_norms(parameters: Iterable[nn.Parameter]) -> dict[nn.Parameter, Tensor]:
    """Return |G| of every parameter that has a gradient, as 0-d tensors in single precision at least."""
    gradients = {parameter: parameter.grad for parameter in parameters if parameter.grad is not None}
    if not gradients:
        return {}
    # In half precision the norm itself could overflow.
    norms = torch._foreach_norm([in_full_precision(gradient) for gradient in gradients.values()])
    return dict(zip(gradients, norms, strict=True))
