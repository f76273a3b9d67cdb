from dataclasses import replace

import pytest

from evabench.claims.evidence import judge_claims
from evabench.claims.judgement import Verdict
from evabench.findings.findings import make_findings
from evabench.findings.goals import Goal
from evabench.records.measurement import WarmUpSettings
from evabench.records.step_time import WarmUp
from evabench.settings.claims import ClaimedWorkload
from tests.claims.eva import EVA_CLAIMS, FASTER_THAN_KFAC, FASTER_THAN_SGD
from tests.runs import ARMS, GPU, NET, QUIET, TARGET, TARGETS, failed, run, training, trainings, visits

SUPPORTED, REFUTED, INCONCLUSIVE, NOT_TESTED = Verdict
HERE = ClaimedWorkload(model="autoencoder", data="fashion_mnist_subset", batch=250, arm_epochs=2, base_epochs=2)
OURS = replace(FASTER_THAN_SGD, device="cpu", conditions=(HERE,), value=1.5)  # the claim, made about this very workload

EIGHT = [20] * 8
TWICE = [40, 44, 40, 44, 40, 44, 40, 44]


def only(claim, runs, targets=TARGETS, **options):
    (judgement,) = judge_claims([claim], make_findings(runs, targets), **options)
    return judgement


def eva_twice_as_fast(steps=TWICE, num_visits=7):
    return [
        *visits("SGD", 0.010, num_visits),
        *visits("Eva", 0.010, num_visits),
        *trainings("SGD", steps),
        *trainings("Eva", EIGHT[: len(steps)]),
    ]


def test_the_claim_under_its_own_conditions_is_supported_as_stated():
    judgement = only(OURS, eva_twice_as_fast())
    assert (judgement.as_stated, judgement.here, judgement.differences) == (SUPPORTED, SUPPORTED, ())


def test_the_ratio_is_steps_times_amortised_step_time():
    runs = [*visits("SGD", 0.010), *visits("Eva", 0.020), *trainings("SGD", TWICE), *trainings("Eva", EIGHT)]
    (evidence,) = only(OURS, runs).evidence
    assert evidence.estimate == pytest.approx(1.05)  # medians of 40 and 44 steps over 20 ones that cost twice as much
    assert evidence.numbers["steps_factor"] == pytest.approx(42 / 20, rel=0.01)
    assert evidence.numbers["step_time_factor"] == pytest.approx(0.5)
    assert (evidence.num_seeds, evidence.num_pairs) == (8, 7)
    # A hit at 40 that was none at 36 came at 37 at the earliest; the least of eight seeds, both factors at 2.5 %.
    assert evidence.lower_bound == pytest.approx(37 / 20 * 0.5)


def test_the_papers_claims_are_not_tested_as_stated_on_another_machine_and_workload():
    fast = replace(FASTER_THAN_SGD, value=1.5)
    judgement = only(fast, eva_twice_as_fast(), would_decide={"C1": "suites/cifar.toml"})
    assert (judgement.as_stated, judgement.here) == (NOT_TESTED, SUPPORTED)
    assert judgement.would_decide == "suites/cifar.toml"
    assert judgement.differences == (
        "hardware: GPUs in the claim, a CPU here (a plain CPU)",
        "workload: VGG-19 on cifar10, ResNet-110 on cifar10, WRN-28-10 on cifar10, ResNet-50 on imagenet in the claim, "
        "autoencoder on fashion_mnist_subset here",
        "batch: 256 or 512 or 3072 in the claim, 250 here",
        "epochs of Eva: 55 or 100 in the claim, 2 here",
        "epochs of SGD: 100 or 200 in the claim, 2 here",
    )


def test_an_up_to_that_was_not_reached_on_another_workload_is_not_refuted():
    runs = [*visits("SGD", 0.01), *visits("Eva", 0.02), *trainings("SGD", EIGHT), *trainings("Eva", EIGHT)]
    judgement = only(FASTER_THAN_SGD, runs)
    assert (judgement.as_stated, judgement.here) == (NOT_TESTED, INCONCLUSIVE)
    assert "refuted only on all of the claim's own workloads" in judgement.reason
    assert only(OURS, runs).as_stated is REFUTED  # the same runs, under the claim's conditions


def test_an_up_to_is_not_refuted_while_one_of_its_workloads_was_not_run():
    runs = [*visits("SGD", 0.01), *visits("Eva", 0.02), *trainings("SGD", EIGHT), *trainings("Eva", EIGHT)]
    two = replace(OURS, conditions=(HERE, replace(HERE, model="VGG-19")))
    assert only(two, runs).as_stated is INCONCLUSIVE
    assert only(replace(two, relation="at_least"), runs).as_stated is REFUTED


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"batch": 500}, "batch: 500 in the claim, 250 here"),
        ({"precision": "bf16"}, "precision: bf16 in the claim, fp32 here"),
        ({"arm_epochs": 5}, "epochs of Eva: 5 in the claim, 2 here"),
        ({"base_epochs": 5}, "epochs of SGD: 5 in the claim, 2 here"),
    ],
)
def test_each_condition_that_differs_keeps_the_claim_untested(changes, difference):
    judgement = only(replace(OURS, conditions=(replace(HERE, **changes),)), eva_twice_as_fast())
    assert (judgement.as_stated, judgement.here) == (NOT_TESTED, SUPPORTED)
    assert judgement.differences == (difference,)


def test_a_claim_about_a_cpu_is_not_tested_on_a_gpu():
    judgement = only(OURS, on_a_gpu(eva_twice_as_fast()))
    assert judgement.as_stated is NOT_TESTED
    assert judgement.differences == ("hardware: a CPU in the claim, a device of kind cuda here (a GPU)",)


def test_seven_seeds_and_five_pairs_decide_nothing():
    few_seeds, few_pairs = only(OURS, eva_twice_as_fast(TWICE[:7])), only(OURS, eva_twice_as_fast(num_visits=5))
    assert few_seeds.here is few_pairs.here is INCONCLUSIVE
    assert "needs 8 seeds, has 7" in few_seeds.reason
    assert "needs 6 timing pairs, has 5" in few_pairs.reason


def test_the_pilot_is_not_a_timing_pair():
    (evidence,) = only(OURS, eva_twice_as_fast(num_visits=6)).evidence
    assert evidence.num_pairs == 6


def test_a_run_that_diverged_and_one_that_crashed_are_misses():
    runs = [
        *visits("SGD", 0.01),
        *visits("Eva", 0.01),
        *trainings("SGD", TWICE),
        *trainings("Eva", EIGHT[:6]),
        failed(training("Eva", 7, 20), "diverged"),
        failed(training("Eva", 8, 20), "crashed"),
    ]
    judgement = only(OURS, runs)
    (evidence,) = judgement.evidence
    assert evidence.num_seeds == 8
    assert "In 2 of 8 seeds only Eva missed the target." in evidence.notes
    assert judgement.here is INCONCLUSIVE


@pytest.mark.parametrize("kind", ["timeout", "out_of_memory", "crashed", "killed"])
def test_a_failed_visit_breaks_its_pair_only(kind):
    runs = eva_twice_as_fast()
    broken = [
        failed(one, kind) if one.visit and one.visit.sweep == 3 and one.cell.arm == "Eva" else one for one in runs
    ]
    (evidence,) = only(OURS, broken).evidence
    assert evidence.num_pairs == 6


def kfac_runs():
    return [
        *visits("Eva", 0.01),
        *visits("K-FAC@1", 0.10),
        *visits("K-FAC@10", 0.02),
        *trainings("Eva", EIGHT),
        *trainings("K-FAC@1", [16] * 8),
        *trainings("K-FAC@10", EIGHT),
    ]


def test_without_trials_every_baseline_counts_and_none_is_chosen_on_the_judged_runs():
    judgement = only(replace(FASTER_THAN_KFAC, value=1.5), kfac_runs())
    assert [(one.base, one.decides) for one in judgement.evidence] == [("K-FAC@1", True), ("K-FAC@10", True)]
    assert [one.estimate for one in judgement.evidence] == [pytest.approx(8.0), pytest.approx(2.0)]
    assert "It counts together with K-FAC@10: no trials say which of them is the strongest." in (
        judgement.evidence[0].notes
    )
    assert judgement.here is SUPPORTED
    assert only(FASTER_THAN_KFAC, kfac_runs()).here is INCONCLUSIVE  # 8x against a weak baseline would support it


def tried(arm, loss):
    """A trial of the arm's own settings that ends at this loss."""
    ended = training(arm, 1000, None)
    *before, last = ended.measured.evaluations
    measured = replace(ended.measured, evaluations=(*before, replace(last, validation_loss=loss)))
    return replace(ended, cell=replace(ended.cell, role="tuning"), measured=measured)


def test_the_baseline_that_was_best_in_the_trials_decides_and_the_others_are_listed():
    for best, worse in (("K-FAC@10", "K-FAC@1"), ("K-FAC@1", "K-FAC@10")):
        findings = make_findings(kfac_runs(), TARGETS, trials=[tried(best, 0.3), tried(worse, 0.4)])
        (judgement,) = judge_claims([FASTER_THAN_KFAC], findings)
        assert [(one.base, one.decides) for one in judgement.evidence] == [(best, True), (worse, False)]
        assert f"{best} decides: it ended lowest in the trials of the tuning" in judgement.evidence[0].notes[0]
        assert judgement.here is (SUPPORTED if best == "K-FAC@1" else INCONCLUSIVE)


def test_trials_of_one_baseline_alone_choose_nothing():
    findings = make_findings(kfac_runs(), TARGETS, trials=[tried("K-FAC@1", 0.3)])
    (judgement,) = judge_claims([FASTER_THAN_KFAC], findings)
    assert {one.decides for one in judgement.evidence} == {True}


def test_a_baseline_that_could_not_be_compared_is_said():
    without_times = [one for one in kfac_runs() if not (one.cell.arm == "K-FAC@10" and one.visit)]
    evidence = only(FASTER_THAN_KFAC, without_times).evidence[0]
    assert evidence.base == "K-FAC@1"
    assert "K-FAC@10 could not be compared: it was not both timed and trained." in evidence.notes


def test_without_a_target_or_without_a_baseline_it_is_not_tested_and_says_why():
    no_target = only(OURS, eva_twice_as_fast(), targets={})
    no_base = only(OURS, [*visits("Eva", 0.01), *trainings("Eva", EIGHT)])
    not_timed = only(OURS, [*trainings("SGD", TWICE), *trainings("Eva", EIGHT)])
    assert {no_target.here, no_base.here, not_timed.here} == {NOT_TESTED}
    assert no_target.reason == "There is no target for autoencoder."
    assert no_base.reason == "On autoencoder there are no runs of sgd."
    assert not_timed.reason == "On autoencoder not every arm that the claim compares was both timed and trained."


def test_no_runs_at_all_leave_every_claim_untested():
    assert {judgement.here for judgement in judge_claims(EVA_CLAIMS, make_findings([]))} == {NOT_TESTED}


def on_a_gpu(runs):
    return [replace(one, host=GPU, cell=replace(one.cell, device="cuda")) for one in runs]


def test_runs_on_the_cpu_of_a_host_with_a_gpu_are_runs_on_a_cpu():
    judgement = only(OURS, [replace(one, host=GPU) for one in eva_twice_as_fast()])
    assert not any("a CPU in the claim" in difference for difference in judgement.differences)


def test_runs_of_two_hosts_are_refused():
    runs = eva_twice_as_fast()
    with pytest.raises(ValueError, match="different hosts are never pooled"):
        make_findings([*runs, replace(runs[0], host=GPU)])


def test_runs_of_other_settings_under_the_same_name_are_not_pooled():
    old = [replace(one, cell=replace(one.cell, optimizer=replace(ARMS["Eva"], lr=0.9))) for one in visits("Eva", 99.0)]
    judgement = only(OURS, [*old, *eva_twice_as_fast()])
    assert judgement.here is SUPPORTED
    assert judgement.evidence[0].numbers["step_time_factor"] == pytest.approx(1.0)


def test_step_times_are_judged_as_arm_over_base():
    dear = replace(OURS, quantity="step_time_ratio", relation="at_most", value=1.5)
    runs = [*visits("SGD", 0.010), *visits("Eva", 0.012)]
    judgement = only(dear, runs)
    assert judgement.here is SUPPORTED
    assert judgement.evidence[0].estimate == pytest.approx(1.2)
    assert only(replace(dear, value=1.1), runs).here is REFUTED


def test_the_chances_of_an_up_to_share_its_error():
    def eva_in(steps):
        return [*visits("SGD", 0.01), *visits("Eva", 0.01), *trainings("SGD", steps), *trainings("Eva", [4] * 16)]

    # The 4th of 16 at 2.5 %, the third at 0.83 %: 17 / 4 of the base's bracket, or 13 / 4.
    anywhere, runs = replace(OURS, conditions=(), value=4.0), eva_in([16] * 3 + [20] * 13)
    assert only(anywhere, runs).here is SUPPORTED
    three = tuple(replace(HERE, model=model) for model in ("VGG-19", "ResNet-110", "autoencoder"))
    assert only(replace(anywhere, conditions=three), runs).here is INCONCLUSIVE


def test_a_workload_whose_baseline_was_not_timed_is_a_gap_in_every():
    second = {"name": "small", "net": replace(NET, batch=125)}
    untimed = [*visits("Eva", 0.01, **second), *trainings("SGD", TWICE, **second), *trainings("Eva", EIGHT, **second)]
    everywhere, targets = replace(OURS, conditions=(), relation="at_least"), {**TARGETS, "small": Goal(TARGET)}
    assert only(everywhere, eva_twice_as_fast(), targets).here is SUPPORTED
    assert only(everywhere, [*eva_twice_as_fast(), *untimed], targets).here is INCONCLUSIVE


def test_own_clocks_count_only_where_the_run_was_alone():
    runs = eva_twice_as_fast()
    beside = [replace(one, conditions=replace(QUIET, jobs=2)) for one in runs]
    assert "rest_factor" in only(OURS, runs).evidence[0].numbers
    assert "rest_factor" not in only(OURS, beside).evidence[0].numbers


def started_in(run, first_step):
    """Return the training run with a first step of its own, which its clock holds instead of a usual one."""
    curve = run.measured
    later = tuple(
        replace(evaluation, seconds=evaluation.seconds + first_step - 0.01) for evaluation in curve.evaluations
    )
    return replace(run, measured=replace(curve, evaluations=later, first_step_seconds=first_step))


def test_the_time_to_compile_is_not_in_the_cross_check_with_the_runs_own_clocks():
    timed = [*visits("SGD", 0.010), *visits("Eva", 0.010)]
    plain = [started_in(run, 0.01) for run in (*trainings("SGD", TWICE), *trainings("Eva", EIGHT))]
    slow_start = [started_in(run, 7.0) if run.cell.arm == "Eva" else run for run in plain]
    rest = [only(OURS, [*timed, *runs]).evidence[0].numbers["rest_factor"] for runs in (plain, slow_start)]
    assert rest[1] == pytest.approx(rest[0])


def test_two_arms_of_the_claims_optimizer_are_comparisons_of_their_own(monkeypatch):
    monkeypatch.setitem(ARMS, "Eva (16)", replace(ARMS["Eva"], statistics_batch=16))
    monkeypatch.setitem(ARMS, "Eva (all)", ARMS["Eva"])
    both = [*visits("SGD", 0.01), *trainings("SGD", TWICE)]
    for arm in ("Eva (16)", "Eva (all)"):
        both += [*visits(arm, 0.01), *trainings(arm, EIGHT)]
    assert [one.workload for one in only(OURS, both).evidence] == ["autoencoder (Eva (16))", "autoencoder (Eva (all))"]
    plain = [*both, *visits("Eva", 0.01), *trainings("Eva", EIGHT)]
    assert [one.arm for one in only(OURS, plain).evidence] == ["Eva"]


def test_a_shorter_series_of_another_budget_is_left_out_and_said():
    runs = [*eva_twice_as_fast(), *trainings("Eva", [4] * 3, budget=36)]
    (evidence,) = only(OURS, runs).evidence
    assert evidence.num_seeds == 8
    assert any("3 runs of another budget" in note for note in evidence.notes)


def test_measurements_of_other_kinds_are_ignored():
    pilot = run("Eva", WarmUpSettings(), WarmUp(window_steps=10, window_median_seconds=(1.0,), steady_after_steps=10))
    assert only(OURS, [pilot, *eva_twice_as_fast()]).here is SUPPORTED


def test_arms_of_several_budgets_are_compared_at_the_claims_own():
    stated = replace(OURS, conditions=(replace(HERE, arm_epochs=2, base_epochs=4),))
    runs = [
        *eva_twice_as_fast(),
        *trainings("SGD", [100] * 8, budget=144),
        *trainings("Eva", [100] * 8, budget=144),
    ]
    judgement = only(stated, runs)
    (evidence,) = judgement.evidence
    assert (judgement.as_stated, judgement.differences) == (SUPPORTED, ())
    assert evidence.numbers["steps_factor"] == pytest.approx(5)  # SGD's 100 of 144 over Eva's 20 of 72


def test_arms_of_several_budgets_are_never_compared_across_them():
    runs = [*eva_twice_as_fast(), *trainings("SGD", [100] * 8, budget=144)]
    (evidence,) = only(replace(OURS, conditions=()), runs).evidence
    assert evidence.numbers["steps_factor"] == pytest.approx(2.1, rel=0.01)  # both of 72, though SGD's 144 is longer
    assert "SGD: 8 runs of another budget or another number of threads were left out." in evidence.notes
