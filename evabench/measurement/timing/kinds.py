"""The kinds of measurement that time steps, on the clock of the device."""

from dataclasses import replace

from evabench.measurement.bench import Bench
from evabench.measurement.energy.energy import measure_energy_on
from evabench.measurement.energy.rapl import RaplEnergy
from evabench.measurement.timing.clock import find_warm_up, time_visit
from evabench.measurement.timing.cuda_clock import clock_on, marks_on
from evabench.measurement.timing.phases import time_phases
from evabench.measurement.timing.trace import profile_steps
from evabench.records.measurement import PhasesSettings, ProfileSettings, StepTimeSettings, WarmUpSettings
from evabench.records.phases import Phases
from evabench.records.profile import Profile
from evabench.records.step_time import StepTime, WarmUp


def measure_warm_up(bench: Bench, settings: WarmUpSettings) -> WarmUp:
    """Return how many steps it takes until the step time is steady."""
    return find_warm_up(bench.timed_step(), clock_on(bench.device), settings, bench.cycle_steps)


def measure_step_time(bench: Bench, settings: StepTimeSettings) -> StepTime:
    """Return the step times of one visit, then its energy."""
    step, device = bench.timed_step(), bench.device
    visit = time_visit(step, clock_on(device), settings, bench.cycle_steps, bench.warmup_steps)
    energy = measure_energy_on(device, step, bench.cycle_steps, RaplEnergy())
    # torch's own threads (more than one, or autograd's for a GPU) cannot be told from an optimizer's.
    alone = bench.cell.threads == 1 and device.type == "cpu"
    if not alone:
        visit = replace(visit, side_work=None, cpu_seconds=None)
    return replace(visit, energy=energy)


def measure_phases(bench: Bench, settings: PhasesSettings) -> Phases:
    """Return the parts of a step."""
    return time_phases(bench.timed_step(), settings, bench.cycle_steps, marks_on(bench.device))


def measure_profile(bench: Bench, settings: ProfileSettings) -> Profile:
    """Return the operators of a step, and write its trace."""
    return profile_steps(bench.timed_step(), settings, bench.cycle_steps)
