"""Runs that set a target come first; what is judged by it carries its hash, and can only be planned behind them."""

import re
from dataclasses import replace

import pytest

from evabench.errors import SuiteError
from evabench.records.convergence import Convergence, Evaluation
from evabench.records.run import Outcome, Run
from evabench.runner.missing_data import MissingData, without_data
from evabench.runner.plan import make_plan
from evabench.settings.targets import number_hash
from evabench.suite.reading import load_suite
from tests.plans import all_runs, untimed
from tests.runs import CODE, HOST, QUIET

SUITE = """
name = "tiny"
title = "Tiny"
description = "A test."
[workloads.small]
workload = "autoencoder"
widths = [784, 16, 4]
batch = 100
[workloads.number]
workload = "autoencoder"
widths = [784, 8]
batch = 100
[arms.SGD]
optimizer = "sgd"
lr = 1.0
[arms.Eva]
optimizer = "eva"
[convergence]
seeds = 2
epochs = [1, 2]
evaluate_every = 30
[convergence.targets.number]
value = 0.1
provenance = "a guess"
[convergence.targets.small]
reference = "SGD"
at = 0.75
"""
SETTING = [("small", "SGD", steps, seed) for seed in range(2000, 2008) for steps in (90, 180)]
WAITING = [("small", arm, steps, seed) for seed in (0, 1) for steps in (90, 180) for arm in ("SGD", "Eva")]


@pytest.fixture
def suite(tmp_path):
    return suite_of(tmp_path, SUITE)


def suite_of(folder, text):
    (folder / "tiny.toml").write_text(text)
    return load_suite(str(folder / "tiny.toml"))


def places(planned):
    return [(run.cell.workload_name, run.cell.arm, run.cell.measurement.steps, run.seed) for run in planned]


def made(planned, outcome="completed", loss=0.5):
    """A run of what was planned; its loss is `loss` from its first evaluation on."""
    settings = planned.cell.measurement
    evaluations = tuple(
        Evaluation(step=step, seconds=1.0, validation_loss=loss) for step in range(0, settings.steps + 1, 30)
    )
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
        measured=Convergence(evaluations=evaluations, training_losses=(), test_loss=loss, budget_steps=settings.steps),
        started="2026-01-01T00:00:00+00:00",
    )


def set_by(suite, **changes):
    return [made(planned, **changes) for planned in all_runs(make_plan(suite, (), HOST).setting)]


def test_the_runs_that_set_a_target_come_first_and_what_is_judged_by_it_waits(suite):
    plan = make_plan(suite, (), HOST)
    assert places(all_runs(plan.setting)) == SETTING
    assert places(plan.waiting) == WAITING
    assert {run.cell.workload_name for run in untimed(plan)} == {"number"}
    assert plan.left[: len(SETTING)] == all_runs(plan.setting)
    assert plan.num_runs == len(SETTING) + 2 * len(WAITING)
    assert {none.reason for none in plan.targets.none} == {"8 of the 8 runs of SGD that set it are to come"}


def test_when_all_are_stored_what_is_judged_carries_the_hash_of_its_own_budget(suite):
    plan = make_plan(suite, set_by(suite), HOST)
    assert (plan.setting, plan.waiting, plan.targets.none) == ((), (), ())
    hashes = {target.cell.measurement.steps: target.hash for target in plan.targets.found}
    judged = [run for run in untimed(plan) if run.cell.workload_name == "small"]
    assert places(judged) == WAITING
    assert all(run.cell.target == hashes[run.cell.measurement.steps] for run in judged)
    assert len(set(hashes.values())) == 2
    assert {run.cell.target for run in untimed(plan) if run.cell.workload_name == "number"} == {
        number_hash("loss", 0.1)
    }


def test_after_a_kill_in_the_middle_only_what_is_missing_is_made(suite):
    done = set_by(suite)[:5]
    plan = make_plan(suite, done, HOST)
    assert places(all_runs(plan.setting)) == SETTING[5:]
    assert places(plan.waiting) == WAITING
    assert plan.targets.found == ()
    assert [none.reason[:8] for none in plan.targets.none] == ["5 of the", "6 of the"]


def test_one_budget_whose_target_is_set_does_not_wait_for_the_other(suite):
    short = [run for run in set_by(suite) if run.cell.measurement.steps == 90]
    plan = make_plan(suite, short, HOST)
    assert {run.cell.measurement.steps for run in plan.waiting} == {180}
    assert {run.cell.measurement.steps for run in untimed(plan) if run.cell.workload_name == "small"} == {90}


def test_a_target_that_changes_leaves_the_judged_runs_behind(suite):
    before = set_by(suite)
    judged = [made(run) for run in untimed(make_plan(suite, before, HOST))]
    assert make_plan(suite, [*before, *judged], HOST).num_runs == 0
    after = set_by(suite, loss=0.4)
    plan = make_plan(suite, [*after, *judged], HOST)
    assert places(untimed(plan)) == WAITING
    assert len(plan.targets.other_runs) == len(WAITING)
    assert {run.cell.workload_name for run in plan.stored if not run.cell.sets_target} == {"number"}
    assert plan.older_code == 0


def test_another_share_sets_another_target_from_the_same_runs(suite, tmp_path):
    stored = set_by(suite)
    other = suite_of(tmp_path, SUITE.replace("at = 0.75", "at = 0.8"))
    plan = make_plan(other, stored, HOST)
    assert plan.setting == ()
    assert {one.hash for one in plan.targets.found}.isdisjoint(
        one.hash for one in make_plan(suite, stored, HOST).targets.found
    )


def test_runs_that_a_number_judged_are_not_taken_for_those_of_a_reference(suite, tmp_path):
    head = SUITE.partition("[convergence.targets.small]")[0]
    number = suite_of(tmp_path, head + '[convergence.targets.small]\nvalue = 0.1\nprovenance = "a guess"\n')
    judged = [made(run) for run in untimed(make_plan(number, (), HOST))]
    plan = make_plan(suite, [*set_by(suite), *judged], HOST)
    assert len(plan.targets.other_runs) == len(WAITING)
    assert places(untimed(plan)) == WAITING
    waiting = make_plan(suite, judged, HOST)
    assert len(waiting.targets.other_runs) == len(waiting.waiting) == len(WAITING)


def test_everything_is_made_again_when_asked_but_what_this_call_has_made(suite):
    stored = set_by(suite)
    fresh = make_plan(suite, stored, HOST, fresh=True)
    assert places(all_runs(fresh.setting)) == SETTING
    assert places(fresh.waiting) == WAITING
    again = make_plan(suite, stored, HOST, fresh=True, made={run.key for run in all_runs(fresh.setting)})
    assert (again.setting, again.waiting) == ((), ())
    assert len(untimed(again)) == 2 * len(WAITING)


def test_a_reference_that_failed_in_one_seed_is_said_and_made_again_when_asked(suite):
    first, *others = set_by(suite)
    stored = [replace(first, outcome=replace(first.outcome, kind="crashed")), *others]
    plan = make_plan(suite, stored, HOST)
    assert plan.setting == ()
    assert {run.cell.measurement.steps for run in plan.waiting} == {90}
    assert plan.targets.none[0].reason.startswith("7 of 8 target-setting runs of SGD count and 8 are needed")
    assert places(all_runs(make_plan(suite, stored, HOST, retry_failed=True).setting)) == SETTING[:1]


def test_target_runs_of_older_code_are_counted_and_set_nothing(suite):
    older = [replace(run, key=f"older {run.key}", code=CODE) for run in set_by(suite)]
    plan = make_plan(suite, older, HOST)
    assert plan.older_code == len(older)
    assert places(all_runs(plan.setting)) == SETTING


def test_judged_runs_of_older_code_are_counted_whatever_their_target(suite):
    judged = [made(run) for run in untimed(make_plan(suite, set_by(suite), HOST))]
    older = [replace(run, key=f"older {run.key}", code=CODE) for run in judged]
    plan = make_plan(suite, older, HOST)
    assert plan.older_code == len(older)
    assert plan.targets.other_runs == ()


def test_more_judged_seeds_than_there_is_room_for_are_refused(suite):
    with pytest.raises(SuiteError, match=r"--seeds 2001: the judged seeds 0 to 2000 and the target-setting seeds 2000"):
        make_plan(suite, (), HOST, seeds=2001)


def test_without_its_data_a_target_is_not_set_and_nothing_waits_for_it(suite):
    missing = MissingData(name="fashion_mnist_subset", num_runs=1)
    assert without_data(make_plan(suite, (), HOST), [missing]).left == ()


NUMBER = SUITE.split("[convergence.targets")[0] + "[convergence.targets.small]\nvalue = {}\nprovenance = 'a guess'\n"


def test_a_target_in_numbers_is_part_of_what_it_judges(tmp_path):
    first, second = (suite_of(tmp_path, NUMBER.format(value)) for value in (0.5, 0.4))
    stored = [made(run) for run in untimed(make_plan(first, [], HOST))]
    trained = [run for run in stored if run.cell.workload_name == "small"]
    assert {run.cell.target for run in trained} == {number_hash("loss", 0.5)}
    changed = make_plan(second, stored, HOST)
    assert len(changed.targets.other_runs) == len(trained)
    again = [made(run) for run in untimed(changed)]
    assert make_plan(second, [*stored, *again], HOST).targets.num_tried == {"small": 2}


CLAIMED = (
    NUMBER.format(0.5)
    + """
[[claims]]
id = "sooner"
text = "Eva is sooner."
quantity = "steps_to_target_ratio"
arm = "Eva"
bases = ["SGD"]
relation = "at_least"
value = 1.0
reason = "a test"
"""
)


def test_targets_that_runs_set_are_not_counted_as_tried(suite):
    judged = [made(run) for run in untimed(make_plan(suite, set_by(suite), HOST))]
    assert make_plan(suite, [*set_by(suite), *judged], HOST).targets.num_tried == {"number": 1}


def checks_of(suite):
    return [run for run in untimed(make_plan(suite, [], HOST)) if run.cell.role == "rate_check"]


def test_the_base_of_a_claim_is_tried_at_a_third_and_three_times_its_rate_with_two_seeds(tmp_path):
    checks = checks_of(suite_of(tmp_path, CLAIMED))
    own = suite_of(tmp_path, CLAIMED).arms["SGD"].lr
    places = {(run.cell.workload_name, run.cell.measurement) for run in checks}
    assert {run.cell.arm for run in checks} == {"SGD"}
    assert sorted({run.cell.optimizer.lr for run in checks}) == pytest.approx([own / 3, 3 * own])
    assert len(checks) == len(places) * 2 * 2 == 16
    assert {run.cell.target for run in checks} == {None}


@pytest.mark.parametrize(("word", "arms"), [("false", set()), ("true", {"SGD"})])
def test_a_suite_may_want_the_checks_without_claims_or_not_with_them(tmp_path, word, arms):
    text = (CLAIMED if word == "false" else NUMBER.format(0.5)).replace(
        "[convergence]", f"[convergence]\ncheck_rates = {word}"
    )
    assert {run.cell.arm for run in checks_of(suite_of(tmp_path, text))} == arms


@pytest.mark.parametrize(("seeds", "arms"), [(7, set()), (8, {"SGD"})])
def test_the_reference_of_a_suite_without_claims_is_checked_where_its_seeds_may_decide(tmp_path, seeds, arms):
    text = re.sub(r"(?m)^seeds = \d+$", f"seeds = {seeds}", NUMBER.format(0.5))
    assert {run.cell.arm for run in checks_of(suite_of(tmp_path, text))} == arms
