"""Which operators a step spends its time in. A diagnosis: the profiler slows down what it watches."""

from dataclasses import dataclass
from statistics import fmean, median
from typing import ClassVar, Literal

from evabench.records.phases import PhaseName, Phases
from evabench.settings.strict import Strict
from evabench.units import Seconds

OUTSIDE_OPERATORS = "(outside operators)"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorTime(Strict):
    """One operator in one phase, in each profiled step."""

    phase: PhaseName
    name: str  # "aten::mm"; `OUTSIDE_OPERATORS`: Python, and waiting
    self_seconds: tuple[Seconds, ...]  # one per step, without the operators that it calls; host time
    num_calls: tuple[int, ...]  # one per step; of `OUTSIDE_OPERATORS`: times that the phase was entered


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile(Strict):
    """Whole refresh cycles under torch's profiler, after the same steps without it."""

    divergence: ClassVar[None] = None  # its loss is not looked at

    measured: Literal["profile"] = "profile"
    trace: str  # the file for chrome://tracing and Perfetto
    phases: Phases  # without the profiler
    profiled_seconds: tuple[Seconds, ...]  # each step under the profiler
    operators: tuple[OperatorTime, ...]
    unwritten: str | None = None  # why there is no such file, as on a full disk; None: it is there

    @property
    def num_steps(self) -> int:
        """Return how many steps were profiled."""
        return len(self.profiled_seconds)

    def seconds_per_step(self, operator: OperatorTime) -> Seconds:
        """Return the self time with refreshes at their share: medians by position of the cycle, then their mean.

        A median, because whatever interrupts a step falls on some operator.
        """
        cycle = self.phases.cycle_steps
        return fmean(median(operator.self_seconds[position::cycle]) for position in range(cycle))

    def calls_per_step(self, operator: OperatorTime) -> float:
        """Return the mean number of calls."""
        return fmean(operator.num_calls)

    @property
    def profiled_over_plain(self) -> float:
        """Return what the profiler costs: a step under it over one without: the median over whole cycles of each."""
        return self._median_cycle(self.profiled_seconds) / self._median_cycle(self.phases.plain_seconds)

    def _median_cycle(self, steps: tuple[Seconds, ...]) -> Seconds:
        cycle = self.phases.cycle_steps
        return median(sum(steps[start : start + cycle]) for start in range(0, len(steps), cycle))
