"""Sums of small layers that a hook leaves half done.

Between two large products everything that a hook touches is cold: an operator that takes 3 us by itself takes some
100 us there (measured on ResNet-32). So a hook reads the values of a batch, once, by one operator. What is left is
small, and done at the step, where the same operators run for one layer after the other, together for those alike.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

MOST_NUMBERS = 2**14  # of what is left to do: it stays in memory until the step
LEAST_SHARE = 16  # how many times more numbers were summed: what stays is little beside the activations


class Partial(NamedTuple):
    """A sum that is not all done."""

    values: Tensor  # [c, places], to be multiplied by `counts`, or [n, c], to be summed over n
    counts: Tensor | None = None  # [places, offsets]

    def finish(self) -> Tensor:
        """Return the sum as a vector."""
        return self.values.sum(0) if self.counts is None else (self.values @ self.counts).view(-1)


Summed = Tensor | Partial


def left_or_finished(partial: Partial, num_summed: int) -> Summed:
    """Return what may be left for the step, after a sum of so many numbers; else the sum all done."""
    num_left = partial.values.numel()
    return partial if num_left <= MOST_NUMBERS and num_left * LEAST_SHARE <= num_summed else partial.finish()


def finished(summed: Summed) -> Tensor:
    """Return a sum that is all done."""
    return summed.finish() if isinstance(summed, Partial) else summed


def add(one: Summed, other: Summed) -> Tensor:
    """Return the sum of two sums, all done."""
    return finished(one) + finished(other)


def finish_all(sums: Iterable[Summed]) -> list[Tensor]:
    """Return the sums all done, those that want the same together."""
    done: dict[int, Tensor] = {}
    alike: dict[tuple[int, int], list[tuple[int, Partial]]] = {}
    for place, each in enumerate(sums):
        if isinstance(each, Partial):
            alike.setdefault((id(each.counts), each.values.shape[0] if each.counts is None else 0), []).append(
                (place, each)
            )
        else:
            done[place] = each
    for group in alike.values():
        places, partials = zip(*group, strict=True)
        done |= zip(places, _finish_alike(partials), strict=True)
    return [done[place] for place in sorted(done)]


def _finish_alike(partials: tuple[Partial, ...]) -> list[Tensor]:
    first = partials[0]
    if len(partials) == 1:
        return [first.finish()]
    axis = 1 if first.counts is None else 0
    together = Partial(torch.cat([each.values for each in partials], dim=axis), first.counts).finish()
    width = 1 if first.counts is None else first.counts.shape[1]
    return list(torch.split(together, [width * each.values.shape[axis] for each in partials]))
