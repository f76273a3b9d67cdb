"""Random numbers of one's own: what is drawn inside depends on the seed alone, and leaves no trace outside."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw from the global CPU generator as if it began with this seed; its own state comes back afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def draw_seed(generator: torch.Generator) -> int:
    """Return a seed drawn by a generator."""
    return int(torch.randint(2**62, (), generator=generator))
