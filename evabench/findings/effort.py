"""The CPU time of a step in training beside that of a timed one: the clock that other programs disturb least."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median

from evabench.findings.arm import MeasuredArm
from evabench.records.checks import StepEffort
from evabench.records.convergence import Convergence
from evabench.records.step_time import StepTime
from evabench.units import Seconds

_RARE = 3.0  # times what is usual at its position of the cycle


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """Medians over seeds and visits."""

    num_observed: int  # the fewer of the two
    timed_seconds: Seconds  # CPU time of a timed step, all threads
    least_timed_seconds: Seconds  # the same of the visit where it took least
    lightest_step_seconds: Seconds  # at most that: the fastest step at each position of the cycle, of all visits
    trained_seconds: Seconds  # of a step of training, the first apart
    usual_seconds: Seconds  # of a usual step of training, without rare ones
    rare_share: float  # of the CPU time of all steps of training, what the rare ones take beyond the usual
    num_rare: int
    num_steps: int
    slowest_seconds: Seconds


def over_expected(own: Effort, seconds: Seconds, usual: Sequence[Effort], *, most: bool) -> float:
    """Return the seconds of a step of training over what its timed step and the built-in arms let expect.

    Training costs all arms alike what a timed step lacks (fresh batches), or what a busy machine adds: a sum and a
    factor. `most`: whatever expects most, the timed step itself among them; else whatever expects least.
    """
    if not usual:
        return seconds / own.timed_seconds
    factor = median(one.trained_seconds / one.timed_seconds for one in usual)
    sum_ = median(one.trained_seconds - one.timed_seconds for one in usual)
    expected = (own.timed_seconds, own.timed_seconds * factor, own.timed_seconds + sum_)
    return seconds / (max if most else min)(expected)


def lightest(effort: Effort, *, of_steps: bool) -> Effort:
    """Return the effort with its lightest timed step: what others take of a CPU only adds to a step.

    That of the lightest visit, or `of_steps`: of each step, where too few visits are there for one to be undisturbed.
    """
    seconds = effort.lightest_step_seconds if of_steps else effort.least_timed_seconds
    return replace(effort, timed_seconds=seconds)


def effort_of(arm: MeasuredArm) -> Effort | None:
    """Return the effort of an arm that was trained and timed on a CPU; None where it was not, or nobody looked."""
    curves = [run.measured for run in arm.trainings.values() if isinstance(run.measured, Convergence)]
    trained = [one.checks.effort for one in curves if one.checks is not None and one.checks.effort.num_steps]
    visits = [visit for visit in arm.visits if visit.checks is not None and visit.host_seconds is None]
    timed = [visit.checks.cpu_seconds / len(visit.step_seconds) for visit in visits if visit.checks is not None]
    if not trained or not timed or not (step := median(timed)):
        return None
    rare = [_rare_seconds(one) for one in trained]
    shares = [sum(seconds) / one.cpu_seconds for seconds, one in zip(rare, trained, strict=True) if one.cpu_seconds]
    return Effort(
        num_observed=min(len(trained), len(timed)),
        timed_seconds=step,
        least_timed_seconds=min(timed),
        lightest_step_seconds=min(*timed, *map(_fastest_seconds, visits)),
        trained_seconds=median(one.cpu_seconds / one.num_steps for one in trained),
        usual_seconds=median(fmean(one.position_cpu_seconds) for one in trained),
        rare_share=median(shares) if shares else 0.0,
        num_rare=round(median(len(seconds) for seconds in rare)),
        num_steps=round(median(one.num_steps for one in trained)),
        slowest_seconds=max((one.slowest[0].cpu_seconds for one in trained if one.slowest), default=0.0),
    )


def _fastest_seconds(visit: StepTime) -> Seconds:
    """Return the wall time of the fastest step at each position of the cycle.

    The CPU time of one thread does not exceed it; with several threads it is less, which accuses nobody falsely.
    """
    return fmean(min(visit.step_seconds[position :: visit.cycle_steps]) for position in range(visit.cycle_steps))


def _rare_seconds(effort: StepEffort) -> list[Seconds]:
    """Return what each rare step took beyond the usual."""
    cycle = len(effort.position_cpu_seconds)
    over = [(slow.cpu_seconds, effort.position_cpu_seconds[slow.step % cycle]) for slow in effort.slowest]
    return [seconds - usual for seconds, usual in over if seconds > _RARE * usual]
