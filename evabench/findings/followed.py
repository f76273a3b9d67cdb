"""Is an arm second-order at all: how far its directions are from the gradient, over all probes of all its seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from evabench.records.directions import DirectionProbe, Directions, Followed
from evabench.stats.spreads import Spread
from evabench.stats.weighted_median import weighted_median

# From this median cosine on an arm follows the gradient: what it is compared for is its learning rate. At 0.999 what is
# orthogonal to the gradient is less than 1/22 of the step.
GRADIENT_COSINE = 0.999


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedDirection:
    """What an arm followed. `None`: nothing to tell it from."""

    followed: Followed
    num_seeds: int
    num_probes: int  # that had a gradient
    cosine: float  # median over probes and layers; a layer weighs its share of the squared gradient at its probe
    lowest_cosine: float  # of any layer at any probe
    stretch: Spread | None  # |P| / |G| over the layers, over probes
    curvature: Spread | None  # over the damping, over layers and probes
    clip_factor: Spread | None  # over probes
    to_trivial: tuple[float, float] | None  # validation loss over the lowest trivial level: first probe, last probe

    @property
    def is_gradient(self) -> bool:
        """Return whether an arm that is called second-order stepped along the gradient.

        An update is never judged: momentum alone turns it away from the gradient.
        """
        return self.followed == "direction" and self.cosine >= GRADIENT_COSINE

    @classmethod
    def of(cls, records: Sequence[Directions]) -> Self | None:
        """Return what the probes of all seeds say; None where none had a gradient."""
        probes = [probe for record in records for probe in record.probes if any(probe.weights())]
        cosine = weighted_median(pair for probe in probes for pair in probe.weights())
        if cosine is None:
            return None
        layers = [layer for probe in probes for layer in probe.layers]
        return cls(
            followed=records[0].followed,
            num_seeds=len(records),
            num_probes=len(probes),
            cosine=cosine,
            lowest_cosine=min(layer.cosine for layer in layers if layer.cosine is not None),
            stretch=Spread.of(probe.stretch for probe in probes),
            curvature=Spread.of(layer.curvature for layer in layers),
            clip_factor=Spread.of(probe.clip_factor for probe in probes),
            to_trivial=_to_trivial(records),
        )


def _to_trivial(records: Sequence[Directions]) -> tuple[float, float] | None:
    """Return the medians over the seeds; None without levels, or where losses may be negative."""
    ends = []
    for record in records:
        lowest = min((level.validation_loss for level in record.trivial_levels), default=0.0)
        if lowest > 0 and record.probes:
            ends.append([_over(probe, lowest) for probe in (record.probes[0], record.probes[-1])])
    first, last = (Spread.of(values) for values in zip(*ends, strict=True)) if ends else (None, None)
    return None if first is None or last is None else (first.middle, last.middle)


def _over(probe: DirectionProbe, level: float) -> float | None:
    return None if probe.validation_loss is None else probe.validation_loss / level
