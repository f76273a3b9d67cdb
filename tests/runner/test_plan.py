"""The plan: what is stored is not run again, what was made with other code is not used."""

from dataclasses import replace

from evabench.records.run import Outcome, Run
from evabench.runner.plan import make_plan
from evabench.suite.reading import load_suite
from tests.runs import HOST, QUIET, run

SUITE = load_suite("quickstart")


def stored(planned, outcome="completed", **changes):
    return Run(
        key=planned.key,
        cell=planned.cell,
        seed=planned.seed,
        visit=None,
        host=HOST,
        code=planned.code,
        conditions=QUIET,
        outcome=Outcome(kind=outcome, reason=None, stderr_tail=""),
        measured=None,
        started="2026-01-01T00:00:00+00:00",
    )


def all_planned(plan):
    return [*plan.untimed, *(run for sweep in plan.sweeps for run in sweep)]


def test_no_two_runs_of_a_suite_have_one_key():
    keys = [planned.key for planned in all_planned(make_plan(SUITE, (), HOST))]
    assert len(set(keys)) == len(keys) == 90


def test_sweeps_alternate_in_direction_and_the_pilot_comes_first():
    pilot, first, second, *_ = make_plan(SUITE, (), HOST).sweeps
    assert {planned.cell.measurement.measurement for planned in pilot} == {"warm_up"}
    assert [planned.cell.arm for planned in first] == [planned.cell.arm for planned in second][::-1]
    assert {planned.seed for planned in first} == {1}


def test_what_is_stored_is_not_run_again():
    runs = [stored(planned) for planned in all_planned(make_plan(SUITE, (), HOST))]
    again = make_plan(SUITE, runs, HOST)
    assert again.num_runs == 0
    assert len(again.stored) == len(runs)
    assert make_plan(SUITE, runs, HOST, fresh=True).num_runs == len(runs)


def test_a_sweep_that_lacks_one_visit_is_run_again_whole():
    planned = make_plan(SUITE, (), HOST)
    half = [stored(visit) for visit in planned.sweeps[2][:3]]
    assert len(make_plan(SUITE, half, HOST).sweeps) == 7
    whole = [stored(visit) for visit in planned.sweeps[2]]
    assert len(make_plan(SUITE, whole, HOST).sweeps) == 6


def test_a_failed_run_is_made_again_only_when_asked_and_a_divergence_never():
    first, second, *_ = make_plan(SUITE, (), HOST).untimed
    runs = [stored(first, "timeout"), stored(second, "diverged")]
    assert len(make_plan(SUITE, runs, HOST).untimed) == 46
    assert len(make_plan(SUITE, runs, HOST, retry_failed=True).untimed) == 47


def test_runs_of_older_code_are_counted_and_not_used():
    (first, *_) = make_plan(SUITE, (), HOST).untimed
    older = replace(stored(first), key="older", code=replace(first.code, hashes={"shared": "before the edit"}))
    plan = make_plan(SUITE, [older, run()], HOST)
    assert plan.older_code == 1
    assert plan.stored == ()
