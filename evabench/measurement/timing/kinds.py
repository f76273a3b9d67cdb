"""The kinds of measurement that time steps, on the clock of the device, at a rate at which no loss diverges."""

from dataclasses import replace

from evabench.measurement.bench import Bench
from evabench.measurement.energy.energy import measure_energy_on
from evabench.measurement.energy.rapl import RaplEnergy
from evabench.measurement.switches import changed_switches
from evabench.measurement.timing.clock import find_warm_up, time_visit
from evabench.measurement.timing.device_clock import clock_on, marks_on
from evabench.measurement.timing.passes import time_passes_alone
from evabench.measurement.timing.phases import time_phases
from evabench.measurement.timing.speed import speed_of
from evabench.measurement.timing.trace import profile_steps
from evabench.measurement.trained_steps import TrainedSteps, at_a_rate_that_holds
from evabench.records.measurement import PhasesSettings, ProfileSettings, StepTimeSettings, WarmUpSettings
from evabench.records.phases import Phases
from evabench.records.profile import Profile
from evabench.records.step_time import StepTime, WarmUp


def measure_warm_up(bench: Bench, settings: WarmUpSettings) -> WarmUp:
    """Return how many steps it takes until the step time is steady."""

    def measure(steps: TrainedSteps) -> WarmUp:
        clock = clock_on(bench.device)
        with speed_of(bench.device) as speed:
            found = find_warm_up(steps.step, clock, settings, bench.cycle_steps, speed)
        return replace(found, passes=time_passes_alone(bench, steps, clock))

    return replace(at_a_rate_that_holds(bench, measure), rate_share=bench.rate_share)


def measure_step_time(bench: Bench, settings: StepTimeSettings) -> StepTime:
    """Return the step times of one visit, then its energy."""

    def measure(steps: TrainedSteps) -> StepTime:
        device, cycle_steps = bench.device, bench.cycle_steps
        visit = time_visit(steps.step, clock_on(device), settings, cycle_steps, bench.warmup_steps, steps)
        step = steps.rewinding(every=settings.block_steps(cycle_steps))
        return replace(visit, energy=measure_energy_on(device, step, cycle_steps, RaplEnergy()))

    visit = replace(at_a_rate_that_holds(bench, measure), rate_share=bench.rate_share)
    if visit.checks is not None:
        visit = replace(visit, checks=replace(visit.checks, switches_changed=changed_switches(bench.switches)))
    # torch's own threads (more than one, or autograd's for a GPU) cannot be told from an optimizer's.
    alone = bench.cell.threads == 1 and bench.device.type == "cpu"
    return visit if alone else replace(visit, side_work=None, cpu_seconds=None)


def measure_phases(bench: Bench, settings: PhasesSettings) -> Phases:
    """Return the parts of a step."""

    def measure(steps: TrainedSteps) -> Phases:
        return time_phases(steps.step, settings, bench.cycle_steps, marks_on(bench.device))

    return replace(at_a_rate_that_holds(bench, measure), rate_share=bench.rate_share)


def measure_profile(bench: Bench, settings: ProfileSettings) -> Profile:
    """Return the operators of a step, and write its trace."""

    def profile(steps: TrainedSteps) -> Profile:
        return profile_steps(
            steps.step, settings, bench.cycle_steps, device_kind=bench.device.type, clock=marks_on(bench.device)
        )

    return at_a_rate_that_holds(bench, profile)
