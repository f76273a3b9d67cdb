"""What a step does, counted: no clock is read, and the same code counts the same everywhere."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from evabench.records.phases import PhaseName
from evabench.settings.strict import Strict
from evabench.units import Bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PartCounts(Strict):
    """One part of a step. An operator is what torch's dispatcher hands to the device, whole lists at once."""

    operators: Mapping[str, int]  # that compute or copy, by name: a view does neither, and is not among them
    flops: int  # a multiply-add is two; the formulas are in `measurement/operator_work.py`
    moved_bytes: Bytes  # read and written by these operators, each operand once
    allocations: int  # storages that operators have returned and nobody had before
    allocated_bytes: Bytes
    host_reads: int  # for which the host has to wait where the device is another one

    @property
    def num_operators(self) -> int:
        """Return how many operators computed or copied something."""
        return sum(self.operators.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCounts(Strict):
    """One whole training step, by its parts."""

    parts: Mapping[PhaseName, PartCounts]
    kernels: int | None = None  # that the device was given, as its own tracer counts; None: it has none, as a CPU

    @property
    def launches(self) -> int:
        """Return what was launched: kernels where the device tells, else operators."""
        return self.num_operators if self.kernels is None else self.kernels

    @property
    def num_operators(self) -> int:
        """Return the operators of all parts."""
        return sum(part.num_operators for part in self.parts.values())

    @property
    def operators(self) -> dict[str, int]:
        """Return the operators of all parts, by name."""
        return dict(sum((Counter(part.operators) for part in self.parts.values()), Counter()))

    @property
    def flops(self) -> int:
        """Return the operations of all parts."""
        return sum(part.flops for part in self.parts.values())

    @property
    def moved_bytes(self) -> Bytes:
        """Return the bytes that all parts read and wrote."""
        return sum(part.moved_bytes for part in self.parts.values())

    @property
    def allocations(self) -> int:
        """Return the new storages of all parts."""
        return sum(part.allocations for part in self.parts.values())

    @property
    def allocated_bytes(self) -> Bytes:
        """Return their bytes."""
        return sum(part.allocated_bytes for part in self.parts.values())

    @property
    def host_reads(self) -> int:
        """Return the reads of all parts."""
        return sum(part.host_reads for part in self.parts.values())

    def only(self, names: Iterable[PhaseName]) -> "StepCounts":
        """Return these parts alone, such as those that a preconditioner adds; without kernels, which have no parts."""
        wanted = set(names)
        return StepCounts(parts={name: part for name, part in self.parts.items() if name in wanted})


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts(Strict):
    """One warm refresh cycle, step by step.

    1   2026-11-26   the first
    """

    divergence: ClassVar[None] = None  # its loss is not looked at

    measured: Literal["counts"] = "counts"
    schema: Literal[1] = 1
    steps: tuple[StepCounts, ...]  # each kind of step that occurs in the cycle, once
    positions: tuple[int, ...]  # which of `steps` each position of the cycle is; position 0 refreshes
    without_formula: tuple[str, ...] = ()  # linear algebra that was taken as 1 flop per value
    sent_bytes: Bytes | None = None  # that an optimizer among several ranks hands to collectives; None: not counted

    @property
    def cycle(self) -> tuple[StepCounts, ...]:
        """Return every step of the cycle, in order."""
        return tuple(self.steps[kind] for kind in self.positions)

    @property
    def cycle_steps(self) -> int:
        """Return the steps from one refresh to the next."""
        return len(self.positions)

    @property
    def refresh(self) -> StepCounts | None:
        """Return the step that refreshes; None where every step is alike."""
        return self.steps[self.positions[0]] if self.cycle_steps > 1 else None

    @property
    def plain(self) -> StepCounts:
        """Return the commonest step that does not refresh, the first of equals; where every step is alike, that one."""
        ((kind, _),) = Counter(self.positions[1:] or self.positions).most_common(1)
        return self.steps[kind]
