"""Energy of training steps, over a window long enough for its counters."""

from dataclasses import dataclass
from typing import Literal

from evabench.records.sampling import Sampling
from evabench.settings.strict import Strict
from evabench.units import Joules, Seconds

EnergySource = Literal["gpu", "cpu"]
# The driver itself samples power, on some GPUs in a quarter of the time; more than this is no sampling error.
_MAX_DISAGREEMENT = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyReading(Strict):
    """What one source used in the window, idle power and other processes included."""

    source: EnergySource
    counter_joules: Joules | None  # None: no counter
    integral_joules: Joules | None  # of the sampled power, by the trapezoidal rule; None: no power reading

    @property
    def joules(self) -> Joules | None:
        """Return the counter's figure, or the integral's where there is no counter."""
        return self.counter_joules if self.counter_joules is not None else self.integral_joules

    @property
    def disagreement(self) -> float | None:
        """Return counter / integral - 1; None where one of them is missing: not cross-checked."""
        if self.counter_joules is None or not self.integral_joules:
            return None
        return self.counter_joules / self.integral_joules - 1

    @property
    def in_doubt(self) -> bool:
        """Return whether counter and integral contradict each other by more than 10 %."""
        return self.disagreement is not None and abs(self.disagreement) > _MAX_DISAGREEMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Energy(Strict):
    """A window of whole refresh cycles, of its own: no timed step lies in it."""

    seconds: Seconds | None  # None: no source, so no window
    num_steps: int
    readings: tuple[EnergyReading, ...]  # only of sources that said something
    sampling: Sampling | None
    missing: tuple[str, ...] = ()  # why a source said nothing

    @property
    def gpu_joules_per_step(self) -> Joules | None:
        """Return the energy of a step on the GPU, for tables of numbers."""
        return self.joules_per_step("gpu")

    @property
    def cpu_joules_per_step(self) -> Joules | None:
        """Return the same of the CPU."""
        return self.joules_per_step("cpu")

    def joules_per_step(self, source: EnergySource) -> Joules | None:
        """Return the energy of a step with its share of a refresh; None: not measured."""
        for reading in self.readings:
            if reading.source == source and reading.joules is not None:
                return reading.joules / self.num_steps
        return None

    def joules_to_target(self, source: EnergySource, steps: float | None) -> Joules | None:
        """Return steps-to-target x energy of a step; None for a miss, or where it was not measured."""
        per_step = self.joules_per_step(source)
        return None if steps is None or per_step is None else steps * per_step
