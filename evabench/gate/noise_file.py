"""Noise that outlives a machine: the estimates of gates of equal sides, by processor, cell and layer.

`evabench gate --calibrate` adds to the file, call by call; it may be cached or committed where machines do not last.
The noise of a cell is the standard deviation of its estimates at 19 pairs. It is used once it rests on 20 of them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import stdev
from typing import Literal

from pydantic import ValidationError

from evabench.errors import GateError, cannot_write
from evabench.gate.pairs import Pair
from evabench.gate.rules import TimedLayer
from evabench.records.codec import decode, encode, first_mistake
from evabench.settings.strict import Strict
from evabench.stats.noise import NOISE_PAIRS
from evabench.stats.trimmed import trimmed_mean

MIN_GATES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualGate(Strict):
    """The estimate of one gate of equal sides, after 19 pairs."""

    processor: str  # its model: a machine that does not last has no other name
    cell: str
    layer: TimedLayer
    log_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseFile(Strict):
    """All that was calibrated.

    1   2026-11-26   the first
    """

    schema: Literal[1] = 1
    gates: tuple[EqualGate, ...] = ()

    def noises(self, processor: str) -> dict[tuple[str, TimedLayer], float]:
        """Return the noise of each cell and layer that rests on enough gates of this processor."""
        return {key: stdev(found) for key, found in self._by_cell(processor).items() if len(found) >= MIN_GATES}

    def num_gates(self, processor: str) -> Mapping[tuple[str, TimedLayer], int]:
        """Return on how many gates each one rests so far."""
        return {key: len(found) for key, found in self._by_cell(processor).items()}

    def with_gate(self, processor: str, pairs: Mapping[tuple[str, TimedLayer], Sequence[Pair]]) -> "NoiseFile":
        """Return the file with one more gate of equal sides; a cell with fewer than 19 pairs is left out."""
        more = tuple(
            EqualGate(
                processor=processor,
                cell=cell,
                layer=layer,
                log_ratio=trimmed_mean([pair.log_ratio for pair in found]).estimate,
            )
            for (cell, layer), found in pairs.items()
            if len(found) == NOISE_PAIRS
        )
        return replace(self, gates=(*self.gates, *more))

    def _by_cell(self, processor: str) -> dict[tuple[str, TimedLayer], list[float]]:
        found: defaultdict[tuple[str, TimedLayer], list[float]] = defaultdict(list)
        for one in self.gates:
            if one.processor == processor:
                found[one.cell, one.layer].append(one.log_ratio)
        return found


def read_noise(path: Path) -> NoiseFile:
    """Return what a file holds, nothing where there is none. Raises `GateError` for one that cannot be read."""
    try:
        return decode(NoiseFile, path.read_bytes())
    except FileNotFoundError:
        return NoiseFile()
    except OSError as error:
        raise GateError(f"{path}: the noise cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise GateError(
            f"{path}: this is no file of --calibrate: {first_mistake(error)}. Delete it, or name another"
        ) from None


def write_noise(path: Path, noise: NoiseFile) -> None:
    """Write it whole, or not at all."""
    aside = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(encode(NoiseFile, noise) + "\n", encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        raise cannot_write(path, error, "name another: --noise FILE") from None
