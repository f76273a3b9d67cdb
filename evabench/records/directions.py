"""Which way an arm stepped while it trained, beside the gradient of the same batch."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from evabench.records.trivial import TrivialLevel
from evabench.settings.strict import Strict

# "direction": what the step of one of our own optimizers leaves in `.grad`, before momentum and weight decay, with its
# running statistics and its clip. "update": (parameters before - after) / learning rate, momentum and all.
Followed = Literal["direction", "update"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerDirection(Strict):
    """One layer: G its gradient, P what the arm followed. None: one of the two is 0, or not finite."""

    name: str
    gradient_square: float | None  # |G|^2
    cosine: float | None  # <P, G> / (|P| |G|)
    stretch: float | None  # |P| / |G|; None also where an update has no learning rate to divide by
    # What the damping is added to, over the damping: the eigenvalue that is not 0 of Eva, Eva-f and Eva-s, the mean
    # eigenvalue of K-FAC and FOOF. Far below 1, the curvature cannot matter. None: the optimizer has no such number.
    curvature: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionProbe(Strict):
    """One step of the training, and what was known before it."""

    step: int  # its index: so many steps were made before
    validation_loss: float | None  # before it; None: not finite
    layers: tuple[LayerDirection, ...]  # with a curvature; of an update all that have parameters. Empty: no gradient
    clip_factor: float | None = None  # nu; None: it cannot be told from what the step left
    stretch: float | None = None  # |P| / |G| over all these layers

    def weights(self) -> Iterator[tuple[float, float]]:
        """Yield each cosine that there is with its share of the squared gradient at this probe."""
        told = [(each.cosine, each.gradient_square) for each in self.layers]
        found = [(cosine, square) for cosine, square in told if cosine is not None and square]
        total = sum(square for _, square in found)
        yield from ((cosine, square / total) for cosine, square in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Directions(Strict):
    """Probes along one training run, which is never judged.

    1   2026-11-26   the first
    """

    divergence: ClassVar[None] = None  # a training that diverges has fewer probes

    measured: Literal["directions"] = "directions"
    schema: Literal[1] = 1
    followed: Followed
    probes: tuple[DirectionProbe, ...]
    trivial_levels: tuple[TrivialLevel, ...] = ()
