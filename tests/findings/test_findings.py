"""What runs say, arranged once: whatever was measured of one optimizer on one workload is one arm."""

from dataclasses import replace

import pytest

from evabench.findings.findings import make_findings
from evabench.findings.targets import TargetFindings
from evabench.records.limits import Limits
from evabench.stats.paired import paired_ratio
from tests import runs as made


def test_times_trainings_and_memory_of_one_optimizer_on_one_workload_are_one_arm():
    memory = made.memory("Eva", 1.0, 100, name="autoencoder")
    (eva,) = make_findings([*made.visits("Eva", 0.01), *made.trainings("Eva", [20]), memory]).arms
    assert eva.amortised_seconds == pytest.approx(0.01, rel=0.011)
    assert len(eva.curves) == 1
    assert eva.memory is memory.measured


def test_an_arm_has_its_memory_beside_each_of_its_budgets():
    trained = [*made.trainings("Eva", [20]), *made.trainings("Eva", [20], budget=144)]
    arms = make_findings([*trained, made.memory("Eva", 1.0, 100, name="autoencoder")]).arms
    assert [arm.budget.steps for arm in arms] == [72, 144]
    assert all(arm.memory is not None for arm in arms)


def test_what_was_only_counted_is_an_arm_that_no_claim_about_time_compares():
    findings = make_findings(made.memories("Eva", made.vectors))
    assert len(findings.arms) == 5
    assert findings.compared_arms == ()


def test_runs_of_another_target_are_compared_and_stand_in_no_table():
    others = made.trainings("Eva", [20])
    findings = make_findings(made.visits("Eva", 0.01), targets=TargetFindings(other_runs=tuple(others)))
    assert [arm.curves for arm in findings.arms] == [()]
    assert [len(arm.curves) for arm in findings.compared_arms] == [1]


def under(limits, runs):
    return [replace(run, conditions=replace(run.conditions, limits=limits)) for run in runs]


def test_visits_under_other_limits_are_left_out_and_said():
    one, two = (Limits(usable_cpus=num, affinity=None, cpus=None, memory_bytes=None) for num in (1, 2))
    visits = made.visits("Eva", 0.01)
    (eva,) = make_findings([*under(one, visits[:6]), *under(two, visits[6:])]).arms
    assert len(eva.visits) == 5
    assert eva.excluded == ("Eva: 2 timing runs with other settings, threads or limits were left out.",)


def test_visits_under_different_limits_are_never_paired():
    one, two = (Limits(usable_cpus=num, affinity=None, cpus=None, memory_bytes=None) for num in (1, 2))
    arms = make_findings([*under(one, made.visits("Eva", 0.01)), *under(two, made.visits("SGD", 0.01))]).arms
    assert paired_ratio(*(arm.step_seconds for arm in arms)) is None


def test_runs_of_two_hosts_are_never_pooled():
    run = made.training("Eva", 1, 20)
    with pytest.raises(ValueError, match="never pooled, got 2"):
        make_findings([run, replace(run, host=made.GPU)])
