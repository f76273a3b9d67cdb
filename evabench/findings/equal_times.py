"""Equal conditions: where a step in training is not the step that was timed, or its cost lies elsewhere."""

from collections.abc import Sequence
from statistics import median

from evabench.findings.arm import MeasuredArm
from evabench.findings.clocks import training_clock
from evabench.findings.effort import Effort, effort_of, lightest, over_expected
from evabench.findings.watched import Found, watched
from evabench.records.checks import TrainingChecks
from evabench.records.step_time import WarmUp
from evabench.units import format_seconds

# CPU time of a step in training over the same where it is timed, over what the built-in arms let expect. With up to ten
# times as many programs as CPUs, single runs had 0.93 to 1.11: a median that is a quarter off is far outside of that.
_MAX_TRAINED_OVER_TIMED = 1.25
# Of one or two runs, on which no verdict rests, and where no built-in arm shows what is usual: on a busy machine 20
# steps of 0.7 ms once took 1.5 times as much, and small steps of SGD have up to 1.23 of their own.
_MAX_OF_FEW = 2.0
# The same where the timed step is the heavier one: whole visits of SGD once took 2.1 and 3.6 times as much as training.
_MAX_TIMED_OF_FEW = 3.0
_FEW = 3
# Of the CPU time of all steps, in few of them: as much as two clocks may differ (`clocks`).
_MAX_RARE_SHARE = 0.1
# Of one or two runs: on a busy machine one step of 59, of 95 ms, once was a tenth of an honest run.
_MAX_RARE_SHARE_OF_FEW = 0.2
_MIN_RARE_RATIO = 1.1
# Of two wall clocks, of runs that were alone: a machine's own unrest is within this.
_MAX_CLOCK_OVER_TIMED = 1.5
# Work beside the step that no wall time need hold. A thread that waits takes less than 1 %.
_MAX_BESIDE_SHARE = 0.05
_LEAST_BESIDE_SECONDS = 0.05  # the CPU time of a process comes in ticks of 10 ms
# An evaluation is one forward pass per batch, the same for every arm.
_MAX_EVALUATION = 1.5
_LEAST_EVALUATION_SECONDS = 0.01
# The fastest of six each, in turn. Half a batch takes 0.5 to 0.6.
_MIN_STEP_OVER_PASSES = 0.75


def unequal_times(arm: MeasuredArm, usual: Sequence[MeasuredArm]) -> Found:
    """Yield where a step costs something else in training than where it is timed, or its cost lies elsewhere."""
    own, others = effort_of(arm), [effort for other in usual if (effort := effort_of(other)) is not None]
    if own is not None:
        yield from _of_the_steps(own, others)
    yield from _of_the_clocks(arm, usual)
    beside = _share_in_processes(arm)
    if beside is not None:
        yield "processes", "seconds", f"computes in processes of its own, {beside:.0%} of the CPU time of its steps"
    shares = [
        visit.side_work.cpu_seconds / visit.checks.cpu_seconds
        for visit in arm.visits
        if visit.side_work is not None and visit.checks is not None and visit.checks.cpu_seconds
    ]
    if shares and median(shares) > _MAX_BESIDE_SHARE:
        yield "threads", "seconds", f"computes in other threads, {median(shares):.0%} of the CPU time of its steps"
    if ratio := _step_over_passes(arm):
        finding = f"takes {ratio:.2f} times as long for a step as forward and backward pass of its net take alone"
        yield "passes alone", "seconds", finding
    yield from _of_the_evaluations(arm, usual)


def _of_the_steps(own: Effort, others: Sequence[Effort]) -> Found:
    enough = others and own.num_observed >= _FEW
    bound = _MAX_TRAINED_OVER_TIMED if enough else _MAX_OF_FEW
    ratio = over_expected(own, own.trained_seconds, others, most=True)
    apart = f"{format_seconds(own.trained_seconds)} of CPU time for a step of training and"
    timed = f"{format_seconds(own.timed_seconds)} for a timed one"
    beside = f", {ratio:.2f} times what the built-in arms let expect" if others else ""
    if ratio > bound:
        yield "steps of training", "seconds", f"takes {apart} {timed}{beside}"
    elif own.rare_share > (_MAX_RARE_SHARE if enough else _MAX_RARE_SHARE_OF_FEW) and ratio > _MIN_RARE_RATIO:
        rare = f"{own.rare_share:.0%} of its CPU time on {own.num_rare} of {own.num_steps} steps"
        longest = f"up to {format_seconds(own.slowest_seconds)} each"
        yield "rare steps", "seconds", f"spends {rare}, {longest}, and no timed block holds as many"
    least = lightest(own, of_steps=not enough)
    light = over_expected(least, own.usual_seconds, [lightest(one, of_steps=not enough) for one in others], most=False)
    if light < 1 / (bound if enough else _MAX_TIMED_OF_FEW):
        beside = f", {light:.2f} times what the built-in arms let expect" if others else ""
        timed = f"{format_seconds(least.timed_seconds)} for the lightest timed one"
        yield "timed steps", "seconds", f"takes {apart} {timed}{beside}"


def _of_the_clocks(arm: MeasuredArm, usual: Sequence[MeasuredArm]) -> Found:
    """Yield a wait that takes no CPU time: for a disk, a network, a device."""
    ratio = _clock_over_timed(arm)
    others = [other for one in usual if (other := _clock_over_timed(one)) is not None]
    if ratio is None or not others:
        return
    expected = max(1.0, median(others))
    if ratio > _MAX_CLOCK_OVER_TIMED * expected:
        finding = f"takes {ratio:.2f} times as long for a step of training as for a timed one, alone and undisturbed"
        yield "clock of training", "seconds", f"{finding}; the built-in arms {median(others):.2f} times"


def _clock_over_timed(arm: MeasuredArm) -> float | None:
    clock = training_clock(arm)
    return clock.over_timed if clock is not None and clock.clean else None


def _of_the_evaluations(arm: MeasuredArm, usual: Sequence[MeasuredArm]) -> Found:
    own = [seconds for _, checks in watched(arm) if (seconds := _evaluation_seconds(checks)) is not None]
    others = [
        seconds
        for other in usual
        for _, checks in watched(other)
        if (seconds := _evaluation_seconds(checks)) is not None
    ]
    if own and others:
        least, reference = min(own), median(others)
        if least > _MAX_EVALUATION * reference and least - reference > _LEAST_EVALUATION_SECONDS:
            apart = (
                f"{format_seconds(least)} of CPU time for an evaluation, the built-in arms {format_seconds(reference)}"
            )
            yield "time of evaluations", "seconds", f"takes {apart}"


def _share_in_processes(arm: MeasuredArm) -> float | None:
    """Return the CPU time of other processes over that of the steps; None where it is not worth a word.

    A compiled model has a compiler, whose workers are processes that no optimizer has asked for.
    """
    if getattr(arm.workload, "compiled", False):
        return None
    pairs = [(c.processes.cpu_seconds, c.effort.cpu_seconds) for _, c in watched(arm) if c.processes is not None]
    pairs += [
        (visit.checks.processes.cpu_seconds, visit.checks.cpu_seconds)
        for visit in arm.visits
        if visit.checks is not None and visit.checks.processes is not None
    ]
    beside, own = (sum(seconds) for seconds in zip(*pairs, strict=True)) if pairs else (0.0, 0.0)
    return beside / own if own and beside > max(_MAX_BESIDE_SHARE * own, _LEAST_BESIDE_SECONDS) else None


def _step_over_passes(arm: MeasuredArm) -> float | None:
    """Return the fastest step over the fastest passes, where that is less than it can be; else None."""
    ratios = [
        min(pilot.passes.step_seconds) / min(pilot.passes.passes_seconds)
        for pilot in arm.records_of(WarmUp)
        if pilot.passes is not None
    ]
    return max(ratios) if ratios and max(ratios) < _MIN_STEP_OVER_PASSES else None


def _evaluation_seconds(checks: TrainingChecks) -> float | None:
    return checks.evaluation_cpu_seconds / checks.num_evaluations if checks.num_evaluations else None
