"""The plan: what is stored is not run again, what was made with other code is not used."""

from dataclasses import replace

from evabench.records.run import Outcome, Run
from evabench.runner.plan import make_plan
from evabench.suite.reading import load_suite
from tests.plans import all_runs, sweeps, untimed
from tests.runs import HOST, QUIET, run

QUICKSTART = load_suite("quickstart")
TRAINED = replace(QUICKSTART.convergence, targets={})  # nothing waits for a target that runs have yet to set
SUITE = replace(QUICKSTART, measurements=replace(QUICKSTART.measurements, convergence=TRAINED))


def stored(planned, outcome="completed", **changes):
    return Run(
        key=planned.key,
        cell=planned.cell,
        seed=planned.seed,
        visit=None,
        host=HOST,
        environment=planned.environment,
        code=planned.code,
        conditions=QUIET,
        outcome=Outcome(kind=outcome, reason=None, stderr_tail=""),
        measured=None,
        started="2026-01-01T00:00:00+00:00",
    )


def test_no_two_runs_of_a_suite_have_one_key():
    keys = [planned.key for planned in all_runs(make_plan(SUITE, (), HOST).sessions)]
    assert len(set(keys)) == len(keys) == 154


def test_sweeps_alternate_in_direction_and_the_pilot_comes_first():
    pilot, first, second, *_ = sweeps(make_plan(SUITE, (), HOST))
    assert {planned.cell.measurement.measurement for planned in pilot} == {"warm_up"}
    assert [planned.cell.arm for planned in first] == [planned.cell.arm for planned in second][::-1]
    assert {planned.seed for planned in first} == {1}


def test_what_is_stored_is_not_run_again():
    runs = [stored(planned) for planned in all_runs(make_plan(SUITE, (), HOST).sessions)]
    again = make_plan(SUITE, runs, HOST)
    assert again.num_runs == 0
    assert len(again.stored) == len(runs)
    assert make_plan(SUITE, runs, HOST, fresh=True).num_runs == len(runs)


def test_a_sweep_that_lacks_one_visit_is_run_again_whole():
    planned = make_plan(SUITE, (), HOST)
    half = [stored(visit) for visit in sweeps(planned)[2][:3]]
    assert len(sweeps(make_plan(SUITE, half, HOST))) == 9
    whole = [stored(visit) for visit in sweeps(planned)[2]]
    assert len(sweeps(make_plan(SUITE, whole, HOST))) == 8


def test_a_failed_run_is_made_again_only_when_asked_and_a_divergence_never():
    first, second, *_ = untimed(make_plan(SUITE, (), HOST))
    runs = [stored(first, "timeout"), stored(second, "diverged")]
    assert len(untimed(make_plan(SUITE, runs, HOST))) == 98
    assert len(untimed(make_plan(SUITE, runs, HOST, retry_failed=True))) == 99


def test_runs_of_older_code_are_counted_and_not_used():
    (first, *_) = untimed(make_plan(SUITE, (), HOST))
    older = replace(stored(first), key="older", code=replace(first.code, hashes={"shared": "before the edit"}))
    plan = make_plan(SUITE, [older, run()], HOST)
    assert plan.older_code == 1
    assert plan.stored == ()


def test_what_is_timed_is_alone_and_a_sweep_is_whole():
    for session in make_plan(SUITE, (), HOST).sessions:
        kinds = {run.cell.measurement.measurement for run in session.runs}
        assert session.alone == any(run.cell.measurement.timed for run in session.runs)
        assert session.whole == (kinds <= {"warm_up", "step_time"})


def test_no_two_sessions_have_one_layout():
    layouts = [session.layout for session in make_plan(SUITE, (), HOST).sessions]
    assert len(set(layouts)) == len(layouts) == 10
