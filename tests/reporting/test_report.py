"""What a report says, before it is rendered."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from evabench.findings.target_rule import NoTarget
from evabench.findings.targets import TargetFindings
from evabench.records.convergence import Convergence
from evabench.reporting.sections import make_document, sections
from evabench.reporting.tables.convergence import convergence_table
from evabench.reporting.tables.origin import settings_table
from evabench.reporting.tables.verdicts import evidence_table, measured
from evabench.reporting.terminal import print_report
from evabench.reporting.warnings import warnings
from evabench.settings.targets import Target
from tests import runs as made
from tests.reporting.reports import make_report, report, runs, suite


@pytest.fixture(scope="module")
def workload():
    (only,) = report().workloads
    return only


def arm(workload, name):
    return next(arm for arm in workload.arms if arm.name == name)


def test_arms_stand_in_the_order_of_the_suite(workload):
    assert [arm.name for arm in workload.arms] == list(made.ARMS)


def test_the_reference_has_no_ratio_and_every_other_arm_has_one_over_all_sweeps_but_the_pilot(workload):
    assert workload.step_over_reference.keys() == made.ARMS.keys() - {"SGD"}
    ratio = workload.step_over_reference["K-FAC@10"]
    assert ratio.estimate == pytest.approx(3.0)
    assert ratio.num_pairs == 7


def test_the_step_time_is_that_of_the_visits_without_the_pilot(workload):
    eva = arm(workload, "Eva")
    assert eva.amortised_seconds == pytest.approx(0.011, rel=0.011)
    assert eva.p99_seconds == pytest.approx(1.01 * 0.011)
    assert eva.num_steps == 7 * 30


def test_a_target_is_reached_in_steps_and_in_steps_times_step_time(workload):
    eva = arm(workload, "Eva")
    assert workload.steps_to_target(eva) == (20, 20, 20)
    assert workload.seconds_to_target(eva) == tuple([pytest.approx(20 * eva.amortised_seconds)] * 3)


def test_a_miss_is_none_and_never_a_number(workload):
    assert workload.steps_to_target(arm(workload, "Shampoo")) == (None, None, None)
    assert workload.seconds_to_target(arm(workload, "Shampoo")) == (None, None, None)


def test_memory_is_that_of_the_workload_itself_and_not_of_another_width(workload):
    assert arm(workload, "Eva").memory.curvature_state_bytes == made.vectors(made.NET)


def test_without_sgd_nothing_is_called_the_reference():
    arms = {name: settings for name, settings in made.ARMS.items() if name != "SGD"}
    (workload,) = make_report(suite(arms=arms), [run for run in runs() if run.cell.arm != "SGD"]).workloads
    assert workload.reference is None
    assert workload.step_over_reference == {}


def test_what_was_not_measured_is_absent():
    (workload,) = make_report(suite(), made.trainings("Eva", [20])).workloads
    (eva,) = workload.arms
    assert eva.amortised_seconds is None
    assert eva.plain_seconds is None
    assert eva.p99_seconds is None
    assert eva.memory is None
    assert workload.seconds_to_target(eva) == ()


def test_a_run_that_did_not_complete_is_listed():
    crashed = made.failed(runs()[0], "crashed")
    assert make_report(suite(), [*runs()[1:], crashed]).unfinished == (crashed,)


def at_budgets(*budgets):
    found = []
    for budget in budgets:
        found += made.trainings("SGD", [40, 40, None], budget=budget)
        found += made.trainings("Eva", [20, 20], budget=budget)
    return make_report(suite(), [*made.visits("SGD", 0.01), *made.visits("Eva", 0.01), *found])


def test_runs_of_two_budgets_never_stand_in_one_row_or_table():
    (longest,) = at_budgets(72, 144, 108).workloads
    whole = [longest, *longest.other_budgets]
    assert [one.budget_words for one in whole] == ["4 epochs", "3 epochs", "2 epochs"]
    for one in whole:
        assert {training.budget_steps for arm in one.arms for training in arm.curves} == {one.budget.steps}
        assert [len(arm.curves) for arm in one.arms] == [3, 2]
        assert arm(one, "Eva").amortised_seconds == pytest.approx(0.01, rel=0.011)


def test_an_arm_that_lacks_a_budget_has_no_losses_there():
    runs_of_two = [*made.trainings("SGD", [40]), *made.trainings("SGD", [40], budget=144), *made.trainings("Eva", [8])]
    (longest,) = make_report(suite(), runs_of_two).workloads
    assert arm(longest, "Eva").curves == ()
    assert len(arm(longest.other_budgets[0], "Eva").trainings) == 1


def test_runs_on_another_number_of_threads_are_a_table_of_their_own():
    other = [made.replace(run, cell=made.replace(run.cell, threads=2)) for run in made.trainings("Eva", [20, 20])]
    (one,) = make_report(suite(), [*made.trainings("Eva", [20]), *other]).workloads
    assert [len(each.arms[0].trainings) for each in (one, *one.other_budgets)] == [1, 2]


def test_runs_with_other_settings_under_an_arms_name_are_not_the_suites():
    other = made.trainings("Eva", [4], optimizer=made.replace(made.ARMS["Eva"], lr=9.0))
    (one,) = make_report(suite(), [*made.trainings("Eva", [20, 20]), *other]).workloads
    assert one.steps_to_target(arm(one, "Eva")) == (20, 20)
    assert one.other_budgets == ()


def test_a_target_may_be_an_accuracy_that_is_reached_from_below():
    def risen(run, steps):
        evaluations = tuple(
            made.replace(one, validation_accuracy=0.8 if one.step >= steps else 0.3) for one in run.measured.evaluations
        )
        return made.replace(run, measured=made.replace(run.measured, evaluations=evaluations))

    target = Target(value=0.75, metric="accuracy", provenance="made up")
    table = made.replace(suite().convergence, targets={"autoencoder": target})
    trained = [risen(run, 40) for run in made.trainings("Eva", [20, 20])]
    (one,) = make_report(suite(convergence=table), [*made.visits("Eva", 0.01), *trained]).workloads
    assert one.steps_to_target(arm(one, "Eva")) == (40, 40)
    assert "Target: validation accuracy 75 % at two evaluations in a row; made up." in convergence_table(one).note


def test_a_target_that_both_arms_missed_in_every_seed_is_said_in_words():
    missed = [*made.trainings("SGD", [None] * 8), *made.trainings("Eva", [None] * 8)]
    timed = [*made.visits("SGD", 0.01), *made.visits("Eva", 0.01)]
    judgements = {one.claim_id: one for one in make_report(suite(), [*timed, *missed]).judgements}
    assert measured(judgements["C1"]) == "Eva and SGD both missed the target in every seed on autoencoder."


def estimate_of(sgd, eva):
    """What the evidence table says of Eva's speed-up over SGD, from the steps to the target of each seed."""
    trained = [*made.trainings("SGD", sgd), *made.trainings("Eva", eva)]
    report = make_report(suite(), [*made.visits("SGD", 0.01), *made.visits("Eva", 0.01), *trained])
    judgements = {one.claim_id: one for one in report.judgements}
    ((*_, estimate, _, _),) = evidence_table(judgements["C1"]).rows
    return estimate


@pytest.mark.parametrize(
    ("sgd", "eva", "words"),
    [
        ([None] * 8, [20] * 8, "the base missed [the base missed]"),
        ([40] * 8, [None] * 8, "the arm missed [the arm missed]"),
        ([40] * 3, [None] * 3, "the arm missed (too few for an interval)"),
        ([40] * 6 + [None] * 2, [20] * 8, "2x [1.85x or more]"),
        ([None] * 5 + [40] * 3, [None] * 3 + [20] * 5, "2x [any ratio]"),
    ],
)
def test_a_ratio_with_misses_says_who_missed(sgd, eva, words):
    assert estimate_of(sgd, eva) == words


def test_the_suite_that_would_decide_the_width_is_its_own_and_not_the_larger_one():
    judgements = {one.claim_id: one for one in make_report(suite(decided_by="autoencoder"), runs()).judgements}
    assert judgements["C1"].would_decide == "cifar"
    assert judgements["C4-time"].would_decide == "scaling"
    assert judgements["C4-work"].would_decide == "work"


def set_by_sgd(**changes):
    """A suite whose target SGD sets, and its runs with their target."""
    by_sgd = made.target_set_by("SGD", **changes)
    table = made.replace(suite().convergence, targets={"autoencoder": Target(reference="SGD", at=0.75)})
    return suite(convergence=table), made.judged_by(by_sgd, runs()), by_sgd


def test_a_table_says_by_whom_its_target_was_set():
    asked, judged, by_sgd = set_by_sgd(harder=0.25)
    (workload,) = make_report(asked, judged, targets=TargetFindings(found=(by_sgd,))).workloads
    assert workload.steps_to_target(arm(workload, "Eva")) == (20, 20, 20)
    assert workload.target.words == (
        "Target: validation loss 0.5 at two evaluations in a row; set by SGD: 8 of 8 target-setting seeds reach it "
        "within 75 % of the budget (within 50 %: 0.9; within 95 %: 0.25)."
    )
    assert workload.target.words in convergence_table(workload).note


def test_runs_that_set_a_target_stand_in_no_table_of_arms_but_among_all_runs():
    asked, judged, by_sgd = set_by_sgd()
    setting = [made.replace(run, cell=by_sgd.cell, key=f"target {run.seed}") for run in made.trainings("SGD", [40] * 8)]
    report = make_report(asked, [*setting, *judged], targets=TargetFindings(found=(by_sgd,)))
    (workload,) = report.workloads
    assert len(arm(workload, "SGD").trainings) == 3
    assert len(report.runs) == len(judged) + 8
    assert make_report(asked, setting).workloads == ()


def test_a_target_that_is_not_set_or_has_changed_is_said_at_the_head():
    asked, judged, by_sgd = set_by_sgd()
    findings = TargetFindings(
        none=(NoTarget(cell=by_sgd.cell, reason="7 of the 8 runs of SGD that set it are to come"),),
        other_runs=tuple(run for run in judged if run.cell.target),
    )
    report = make_report(asked, [run for run in judged if not run.cell.target], targets=findings)
    assert report.workloads[0].target is None
    told = warnings(report)
    assert "autoencoder has no target: 7 of the 8 runs of SGD that set it are to come." in told
    assert any(line.startswith("15 stored training runs carry no target, or another") for line in told)
    judgements = {one.claim_id: one for one in report.judgements}
    assert "the runs of Eva, SGD carry no target, or another" in judgements["C1"].reason


def test_the_terminal_says_where_a_target_comes_from():
    asked, judged, by_sgd = set_by_sgd()
    console = Console(file=io.StringIO(), width=300)
    print_report(console, make_report(asked, judged, targets=TargetFindings(found=(by_sgd,))))
    assert "set by SGD: 8 of 8 target-setting seeds reach it within 75 % of the budget" in console.file.getvalue()
    number = Console(file=io.StringIO(), width=300)
    print_report(number, make_report(suite(), runs()))
    assert "Target: validation loss 0.5 at two evaluations in a row; made up." in number.file.getvalue()


def test_a_report_says_what_became_of_subnormal_numbers_and_where_they_could_not_be_flushed():
    found = [replace(run, cell=replace(run.cell, subnormals="flush"), subnormals_flushed=True) for run in runs()]
    (host,) = [part for part in sections(make_report(suite(), found))[-1].parts if part.title == "Host and code"]
    assert ("subnormal numbers", "flushed to 0 in every child") in host.rows
    assert not any("subnormal" in line for line in warnings(make_report(suite(), found)))
    found[0] = replace(found[0], subnormals_flushed=False)
    (told,) = [line for line in warnings(make_report(suite(), found)) if "subnormal" in line]
    assert told.startswith(f"1 of {len(found)} runs computed with subnormal numbers, since this platform cannot")


def test_a_report_names_an_arm_whose_rate_schedule_and_optimizer_both_set():
    found = [
        replace(run, measured=replace(run.measured, rate_contested_at=3)) if run.seed == 1 else run
        for run in runs()
        if run.cell.arm == "Eva" and isinstance(run.measured, Convergence)
    ]
    (told,) = [line for line in warnings(make_report(suite(), found)) if "itself" in line]
    assert told.startswith(
        'Eva on autoencoder changes its learning rate itself, first before step 3, and the schedule "'
    )


def test_the_groups_of_an_arm_stand_among_its_settings_in_words():
    groups = ({"match": "*.bias", "weight_decay": 0.0}, {"match": "*", "max_axes": 1, "lr": 0.5})
    arms = {"Eva": replace(made.ARMS["Eva"], groups=groups), "SGD": made.ARMS["SGD"]}
    rows = settings_table(make_report(suite(arms=arms), runs())).rows
    assert rows[0][2].endswith("groups (match *.bias weight_decay 0.0) and (match * max_axes 1 lr 0.5)")
    assert "groups" not in rows[1][2]


def test_no_two_sections_of_a_page_have_one_title():
    titles = [section.title for section in sections(report())]
    assert titles
    assert len(set(titles)) == len(titles)


def test_the_terminal_tells_the_disturbances_that_a_page_tells():
    noisy = [replace(one, conditions=replace(made.QUIET, steal_share=0.2)) for one in made.visits("Eva", 0.01, num=2)]
    report = make_report(suite(), noisy)
    (told,) = [warning for warning in warnings(report) if "timed runs that count were disturbed" in warning]
    console = Console(file=io.StringIO(), width=10_000)
    print_report(console, report)
    assert told in console.file.getvalue()
    assert told in make_document(report).warnings


def test_only_timed_runs_that_count_are_among_the_disturbed_ones():
    noisy = replace(made.QUIET, steal_share=0.2)
    first = [replace(one, conditions=noisy) for one in made.visits("Eva", 0.02, num=2)]
    second = [replace(one, visit=replace(one.visit, repeated=True)) for one in made.visits("Eva", 0.01, num=2)]
    assert not [one for one in warnings(make_report(suite(), [*first, *second])) if "disturbed" in one]


def test_no_base_is_called_the_fastest_where_all_missed():
    runs_of = [*made.trainings("Eva", [None] * 8), *made.trainings("K-FAC@1", [None] * 8)]
    runs_of += [*made.trainings("K-FAC@10", [None] * 8), *made.visits("Eva", 0.01), *made.visits("K-FAC@1", 0.07)]
    judgements = make_report(suite(), [*runs_of, *made.visits("K-FAC@10", 0.03)]).judgements
    (judgement,) = [one for one in judgements if one.claim_id == "C2-kfac"]
    told = " ".join((measured(judgement), judgement.reason, *(note for e in judgement.evidence for note in e.notes)))
    assert "both missed the target in every seed" in told
    assert "decides" not in told
