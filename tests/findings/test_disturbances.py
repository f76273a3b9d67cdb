"""What disturbs a timing, as sentences; what was not read disturbs nothing."""

from dataclasses import replace

import pytest

from evabench.findings.disturbances import disturbances, interruptions, run_disturbances
from evabench.records.conditions import GpuConditions
from evabench.records.step_time import StepTime
from tests.runs import QUIET, visits

GPU = GpuConditions(
    uuid="GPU-a",
    foreign_processes=0,
    clock_limits=(),
    lowest_sm_clock=None,
    highest_sm_clock=None,
    max_sm_clock=None,
)


def test_nothing_that_was_read_and_nothing_that_was_not_disturbs_a_quiet_run():
    assert disturbances(QUIET) == ()
    assert disturbances(replace(QUIET, steal_share=None, gpus=(GPU,))) == ()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"steal_share": 0.034}, "The hypervisor took 3.4% of the CPU time."),
        ({"foreign_cpu_share": 0.25}, "Other programs used 25% of the CPU time."),
        (
            {"throttled_seconds": 0.5, "seconds": 10.0},
            "The CPU limit of the control group stopped the run for 5.0% of its time.",
        ),
        ({"thermal_events": 3}, "Heat brought the clock of a CPU down (3 times)."),
        ({"swapped_bytes": 3 << 20}, "The machine swapped 3.00 MiB."),
        ({"gpus": (replace(GPU, foreign_processes=1),)}, "GPU GPU-a was shared with another process."),
        ({"gpus": (GPU, replace(GPU, foreign_processes=2))}, "GPU GPU-a was shared with 2 other processes."),
        (
            {"gpus": (replace(GPU, clock_limits=("power limit", "hardware thermal slowdown")),)},
            "GPU GPU-a was slowed down: hardware thermal slowdown.",
        ),
    ],
)
def test_each_disturbance_is_one_sentence(changes, sentence):
    assert disturbances(replace(QUIET, **changes)) == (sentence,)


@pytest.mark.parametrize(
    "changes",
    [
        {"steal_share": 0.01},
        {"foreign_cpu_share": 0.1},
        {"throttled_seconds": 0.1, "seconds": 10.0},
        {"thermal_events": 0},
        {"swapped_bytes": 1 << 20},
        {"load_1min": 40.0},
        {"gpus": (replace(GPU, clock_limits=("power limit", "idle"), foreign_processes=None),)},
    ],
)
def test_what_is_small_or_normal_disturbs_nothing(changes):
    assert disturbances(replace(QUIET, **changes)) == ()


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


def test_two_cycles_have_no_usual_step_so_that_only_the_cpu_time_tells():
    half_stopped = [10, 1, 1, 900, 10, 1, 1, 1]
    assert interruptions(visit(*half_stopped, cycle_steps=4)) == ()
    assert interruptions(visit(*half_stopped, cycle_steps=4, cpu_seconds=(0.026,))) == (
        "A timed block was interrupted for 899 ms of 925 ms.",
    )


def test_a_block_whose_steps_all_wait_is_found_by_its_cpu_time():
    assert interruptions(visit(*[2] * 30, cpu_seconds=(0.03,))) != ()
    assert interruptions(visit(*[2] * 30, cpu_seconds=(0.056,))) == ()  # 7 % more wall than CPU time


def test_an_interruption_disturbs_a_run_beside_what_the_conditions_say():
    (_, first, *_) = visits("SGD", 0.001)
    assert run_disturbances(first) == ()
    stopped = replace(first, measured=visit(*[1] * 29, 101), conditions=replace(QUIET, thermal_events=1))
    assert run_disturbances(stopped) == (
        "Heat brought the clock of a CPU down (1 times).",
        "A timed block was interrupted for 100 ms of 130 ms.",
    )
