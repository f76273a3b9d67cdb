"""Two clocks of one step: where they disagree, and which runs' own clocks count."""

from dataclasses import replace

import pytest

from evabench.findings.clocks import ahead_of_the_parent, behind_the_parent, training_clock
from evabench.findings.findings import make_findings
from evabench.findings.goals import Goal
from evabench.records.limits import Limits
from tests import runs as made


def beside(runs, **conditions):
    return [replace(run, conditions=replace(run.conditions, **conditions)) for run in runs]


def slower(run, factor):
    evaluations = tuple(replace(one, seconds=factor * one.seconds) for one in run.measured.evaluations)
    return replace(run, measured=replace(run.measured, evaluations=evaluations))


def arm(*groups):
    (found,) = make_findings(run for group in groups for run in group).arms
    return found


def clock(*groups):
    return training_clock(arm(*groups))


def test_a_step_of_training_is_compared_with_the_step_that_was_timed_alone():
    found = clock(made.visits("Eva", 0.01), [slower(run, 7.7) for run in made.trainings("Eva", [20] * 3)])
    assert found.over_timed == pytest.approx(7.7, rel=0.01)
    assert found.disagrees
    assert not clock(made.visits("Eva", 0.01), made.trainings("Eva", [20] * 3)).disagrees


def test_clocks_are_compared_however_many_runs_were_made_at_once():
    shared = beside([slower(run, 2.0) for run in made.trainings("Eva", [20] * 3)], jobs=2)
    found = clock(made.visits("Eva", 0.01), shared)
    assert found.disagrees
    assert (found.clean, found.num_shared, found.most_jobs) == (False, 3, 2)


def test_the_first_step_and_the_waits_for_batches_are_no_part_of_the_step():
    (run,) = made.trainings("Eva", [20])
    first, wait = 0.2, 0.16
    run = replace(run, measured=replace(run.measured, first_step_seconds=first, input_wait_seconds=wait))
    assert clock([run]).step_seconds == pytest.approx((0.72 - first - wait) / 71)


def test_a_disturbed_run_does_not_count_beside_a_clean_one():
    clean, other = made.trainings("Eva", [20, 20])
    found = clock([clean], beside([slower(other, 20)], foreign_cpu_share=0.5))
    assert (found.seconds, found.num_runs, found.num_disturbed, found.clean) == (pytest.approx(0.72), 1, 1, True)


def test_where_every_run_was_disturbed_they_count_and_are_not_clean():
    found = clock(beside(made.trainings("Eva", [20, 20]), foreign_cpu_share=0.5))
    assert (found.num_runs, found.num_disturbed, found.clean) == (2, 2, False)


def test_the_clock_of_a_disturbed_run_takes_no_part_in_what_explains_a_speed_up():
    runs = made.trainings("Eva", [20, 20])
    reached = arm(made.visits("Eva", 0.01), runs[:1], beside(runs[1:], steal_share=0.1)).reached(Goal(made.TARGET))
    assert list(reached.clock_seconds) == [1]


def test_a_clock_that_is_ahead_of_the_parents_is_found():
    right, wrong = made.trainings("Eva", [20, 20])
    runs = [*beside([right], seconds=1.0), *beside([slower(wrong, 2)], seconds=1.0)]
    assert [run.seed for run in ahead_of_the_parent(runs)] == [2]


def under(cpus, runs):
    return beside(runs, limits=Limits(usable_cpus=2, affinity="0-1", cpus=cpus, memory_bytes=None))


def test_a_clock_under_other_limits_than_the_timed_steps_is_compared_with_none():
    found = clock(under(None, made.visits("Eva", 0.01)), under(0.5, made.trainings("Eva", [20] * 3)))
    assert (found.over_timed, found.num_other_limits, found.disagrees) == (None, 0, False)


def test_clocks_under_the_limits_of_the_timed_steps_count_and_the_others_do_not():
    alike, other, third = made.trainings("Eva", [20] * 3)
    found = clock(under(None, [*made.visits("Eva", 0.01), alike]), under(0.5, [slower(other, 3), slower(third, 3)]))
    assert (found.seconds, found.num_runs, found.num_other_limits) == (pytest.approx(0.72), 1, 2)
    assert found.over_timed == pytest.approx(1, rel=0.01)


def test_what_explains_a_speed_up_takes_clocks_under_the_limits_of_the_timed_steps_alone():
    alike, other = made.trainings("Eva", [20, 20])
    found = arm(under(None, [*made.visits("Eva", 0.01), alike]), under(0.5, [slower(other, 3)]))
    assert list(found.reached(Goal(made.TARGET)).clock_seconds) == [1]


def accounted(run, *, setup, evaluations, wall):
    """A run of 0.72 s of training, with its other parts and what the parent saw."""
    measured = replace(run.measured, evaluation_seconds=evaluations)
    return beside([replace(run, measured=measured, setup_seconds=setup)], seconds=wall)[0]


@pytest.mark.parametrize(
    ("setup", "evaluations", "wall", "ahead", "behind"),
    [
        (1.0, 18.28, 20.5, False, False),  # a fork and a reply take a part of a second
        (1.0, 18.28, 22.3, False, True),
        (0.1, 0.1, 1.9, False, False),  # a short run is not blamed for its fork
        (1.0, 18.28, 18.3, False, False),
        (1.0, 18.28, 18.0, True, False),
        (None, 18.28, 40.0, False, False),  # from before it was measured
        (1.0, None, 40.0, False, False),
    ],
)
def test_the_parts_of_a_run_and_what_the_parent_saw_are_compared_both_ways(setup, evaluations, wall, ahead, behind):
    (run,) = made.trainings("Eva", [20])
    runs = [accounted(run, setup=setup, evaluations=evaluations, wall=wall)]
    assert (ahead_of_the_parent(runs) != (), behind_the_parent(runs) != ()) == (ahead, behind)
