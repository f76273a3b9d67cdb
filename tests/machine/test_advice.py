"""What a person is told to change: everything that was found, and nothing else."""

from dataclasses import replace

import pytest

from evabench.machine.advice import advise
from evabench.machine.state import MachineState
from evabench.records.limits import Limits
from evabench.stats.noise import Noise
from tests.runs import QUIET

LIMITS = Limits(usable_cpus=2, affinity="0-1", cpus=None, memory_bytes=None)
STATE = MachineState(
    load_1min=0.1,
    limits=LIMITS,
    free_memory_bytes=2**32,
    swap_used_bytes=0,
    swap_bytes=0,
    governors=None,
    thread_variables={},
    gpus=None,
    why_no_gpus="no driver",
)
STILL = Noise(num_pairs_by_order=(4, 4), spread=0.002)


def problems(state=STATE, conditions=QUIET, noise=STILL):
    return [advice.problem for advice in advise(state, conditions, noise)]


def test_a_quiet_machine_has_nothing_to_change():
    assert problems() == []


def test_a_noisy_machine_is_told_first_with_what_would_still_show():
    noisy = Noise(num_pairs_by_order=(500, 500), spread=0.15)
    first, *rest = advise(STATE, replace(QUIET, foreign_cpu_share=0.5), noisy)
    assert first.problem.startswith("This machine is too noisy now to gate a change")
    assert f"{noisy.smallest_visible:.0%}" in first.remedy
    assert [advice.problem for advice in rest] == ["Other programs used 50% of the CPU time."]


def test_few_pairs_that_leave_it_open_ask_for_more():
    (told,) = advise(STATE, QUIET, Noise(num_pairs_by_order=(4, 4), spread=0.05))
    assert told.problem == "8 pairs cannot tell whether this machine is quiet enough to gate a change."
    assert "evabench doctor --pairs 30" in told.remedy


@pytest.mark.parametrize(
    ("seen", "problem", "remedy"),
    [
        ({"foreign_cpu_share": 0.4}, "Other programs used 40% of the CPU time.", "Stop it"),
        ({"steal_share": 0.2}, "The hypervisor took 20.0% of the CPU time.", "CPUs of its own"),
        ({"throttled_seconds": 5.0, "seconds": 10.0}, "The CPU limit of the control group", "Raise the limit"),
        ({"swapped_bytes": 2**30}, "The machine swapped 1.00 GiB.", "Free memory"),
        ({"thermal_events": 3}, "Heat brought the clock of a CPU down (3 times).", "cool"),
    ],
)
def test_every_disturbance_comes_with_its_cause_and_the_way_out(seen, problem, remedy):
    (told,) = advise(STATE, replace(QUIET, **seen), STILL)
    assert told.problem.startswith(problem)
    assert told.cause
    assert remedy in told.remedy


def test_two_disturbances_are_two_pieces_of_advice():
    assert len(problems(conditions=replace(QUIET, foreign_cpu_share=0.4, steal_share=0.2))) == 2


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        ({"governors": ("performance", "powersave")}, "The clocks of the CPUs follow the governor"),
        ({"limits": replace(LIMITS, cpus=1.5)}, "The control group may use 1.5 CPUs."),
        ({"limits": replace(LIMITS, usable_cpus=1)}, "There is one CPU."),
    ],
)
def test_what_lasts_is_told_too(state, problem):
    (told,) = problems(state=replace(STATE, **state))
    assert told.startswith(problem)


def test_a_load_counts_only_where_nothing_was_watched():
    loaded = replace(STATE, load_1min=5.0)
    assert problems(state=loaded) == []
    assert problems(state=loaded, conditions=None, noise=None) == ["The load of the last minute is 5.0 on 2 CPUs."]
