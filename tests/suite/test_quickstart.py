"""The quick start that ships: its settings are what its committed trials have chosen, by the rule of its file."""

from pathlib import Path

import pytest

from evabench.findings.tuning import find_trials, tuned_arms
from evabench.store.files import RunStore
from evabench.suite.reading import load_suite

SUITE = load_suite("quickstart")
NUM_POINTS = 64


@pytest.fixture(scope="module")
def trials():
    return find_trials(SUITE.trial_cells(), SUITE.tuning.run_seeds, RunStore(Path(SUITE.tuning.trials)).load())


def test_every_trial_is_there_and_of_one_clean_commit(trials):
    assert len(trials) == NUM_POINTS * len(SUITE.arms) * SUITE.tuning.seeds
    assert {run.code.dirty for run in trials} == {False}
    assert len({(run.code.commit, run.host.id, run.environment.identity) for run in trials}) == 1


def test_each_arm_has_the_settings_of_its_best_point(trials):
    for arm in tuned_arms(trials):
        assert len(arm.points) == NUM_POINTS
        assert arm.best.settings == SUITE.arms[arm.name], arm.name


def test_the_target_is_set_by_the_best_first_order_arm(trials):
    first_order = [arm for arm in tuned_arms(trials) if arm.best.settings.family == "first-order"]
    best = min(first_order, key=lambda arm: arm.best.median_loss)
    assert SUITE.convergence.targets["mlp"].reference == best.name


def test_an_evaluation_comes_at_every_fiftieth_of_the_steps_to_the_target_or_more_often():
    (cell,) = SUITE.target_cells()
    nominal = SUITE.convergence.targets["mlp"].at * cell.measurement.steps
    assert cell.measurement.evaluate_every <= nominal / 50


def test_its_claims_name_the_ablation_arm_and_every_kind_of_baseline():
    bases = {base for claim in SUITE.claims for base in claim.bases}
    assert {"SGD", "AdamW", "K-FAC@10", "Eva, vectors off"} <= bases
    assert [claim.id for claim in SUITE.claims if claim.headline] == ["sooner"]
