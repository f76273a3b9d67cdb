"""What disturbs a timing from outside, as sentences; what was not read disturbs nothing."""

from dataclasses import replace

import pytest

from evabench.findings.disturbances import disturbances
from evabench.records.conditions import GpuConditions
from evabench.records.device import RunDevice
from evabench.records.limits import Limits
from tests.runs import QUIET

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


LIMITS = Limits(usable_cpus=2, affinity=None, cpus=None, memory_bytes=None)
SHARED = (replace(GPU, foreign_processes=1), replace(GPU, uuid="GPU-b"))


@pytest.mark.parametrize(
    ("device", "is_disturbed"),
    [
        (RunDevice(kind="cuda", index=0, uuid="a"), True),  # as CUDA has it, without a prefix
        (RunDevice(kind="cuda", index=1, uuid="b"), False),
        (RunDevice(kind="cuda", index=1), True),  # it may be this one
        (None, False),  # on a CPU
    ],
)
def test_who_is_on_a_gpu_disturbs_the_runs_on_it_alone(device, is_disturbed):
    assert bool(disturbances(replace(QUIET, gpus=SHARED, limits=replace(LIMITS, device=device)))) == is_disturbed


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
