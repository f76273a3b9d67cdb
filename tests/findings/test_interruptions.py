"""A timed block that somebody stopped and let go on, found by its own steps, its CPU time or the arm's other visits."""

from dataclasses import replace

from evabench.findings.interruptions import KnownVisits, interruptions
from evabench.records.limits import Limits
from evabench.records.step_time import StepTime
from tests.runs import QUIET, visits


def visit(*steps, cycle_steps=1, cpu_seconds=None):
    """A visit of one block with these steps, in milliseconds."""
    seconds = tuple(step / 1000 for step in steps)
    return StepTime(
        step_seconds=seconds,
        block_seconds=(sum(seconds),),
        latency_seconds=None,
        cycle_steps=cycle_steps,
        warmup_steps=0,
        cpu_seconds=cpu_seconds,
    )


def test_a_block_that_took_longer_than_its_steps_do_was_interrupted():
    assert interruptions(visit(*[1] * 29, 101)) == ("A timed block was interrupted for 100 ms of 130 ms.",)
    assert interruptions(visit(*[1] * 29, 6)) == ()  # 35 for 30: below a fifth


def test_a_refresh_is_no_interruption_for_it_is_usual_at_its_place():
    assert interruptions(visit(*[100, 1, 1, 1, 1] * 3, cycle_steps=5)) == ()
    assert interruptions(visit(*[100, 1, 1, 1, 1] * 3, 100, 1, 500, 1, 1, cycle_steps=5)) != ()


HALF_STOPPED = [10, 1, 1, 900, 10, 1, 1, 1]


def test_two_cycles_that_nothing_stands_beside_have_no_usual_step_so_that_only_the_cpu_time_tells():
    assert interruptions(visit(*HALF_STOPPED, cycle_steps=4)) == ()
    assert interruptions(visit(*HALF_STOPPED, cycle_steps=4, cpu_seconds=(0.026,))) == (
        "A timed block was interrupted for 899 ms of 925 ms.",
    )


def test_two_cycles_are_compared_with_the_other_visits_of_the_arm():
    """A GPU, and several threads, have no CPU time that would tell."""
    quiet = [visit(*[10, 1, 1, 1] * 2, cycle_steps=4) for _ in range(2)]
    assert interruptions(visit(*HALF_STOPPED, cycle_steps=4), quiet) == (
        "A timed block was interrupted for 899 ms of 925 ms.",
    )
    assert interruptions(quiet[0], [quiet[1], visit(*HALF_STOPPED, cycle_steps=4)]) == ()


def test_one_other_visit_of_two_cycles_says_too_little():
    assert interruptions(visit(*HALF_STOPPED, cycle_steps=4), [visit(*[10, 1, 1, 1] * 2, cycle_steps=4)]) == ()


def test_a_visit_is_compared_with_visits_of_its_own_arm_under_its_own_limits_alone():
    def long_cycles(arm, seconds, limits=None):
        for made in visits(arm, seconds, num=5)[1:]:
            cycle = visit(*[1000 * seconds] * 50, cycle_steps=50)
            yield replace(made, measured=cycle, conditions=replace(QUIET, limits=limits))

    half = Limits(usable_cpus=2, affinity="0-1", cpus=0.5, memory_bytes=None)
    slower = [*long_cycles("Eva", 0.002), *long_cycles("SGD", 0.002, half)]
    runs = [*long_cycles("SGD", 0.001), *(replace(run, key=f"{run.key} beside") for run in slower)]
    known = KnownVisits(runs)
    assert {known.disturbances(run) for run in runs} == {()}
    stopped = replace(runs[0], measured=visit(*[1] * 49, 51, cycle_steps=50))
    assert KnownVisits([stopped, *runs[1:]]).disturbances(stopped) == (
        "A timed block was interrupted for 50.0 ms of 100 ms.",
    )


def test_a_block_whose_steps_all_wait_is_found_by_its_cpu_time():
    assert interruptions(visit(*[2] * 30, cpu_seconds=(0.03,))) != ()
    assert interruptions(visit(*[2] * 30, cpu_seconds=(0.056,))) == ()  # 7 % more wall than CPU time


def test_an_interruption_disturbs_a_run_beside_what_the_conditions_say():
    (_, first, *_) = visits("SGD", 0.001)
    assert KnownVisits([first]).disturbances(first) == ()
    stopped = replace(first, measured=visit(*[1] * 29, 101), conditions=replace(QUIET, thermal_events=1))
    assert KnownVisits([stopped]).disturbances(stopped) == (
        "Heat brought the clock of a CPU down (1 times).",
        "A timed block was interrupted for 100 ms of 130 ms.",
    )
