"""The grid behind the quick start: equal for every arm, safe in its choice, and a target that its own seeds hit."""

from dataclasses import replace
from pathlib import Path

import pytest

from evabench.findings.target_rule import target_value
from evabench.records.convergence import Convergence, Evaluation
from evabench.settings.eva import EvaSettings
from evabench.settings.first_order import SgdSettings
from evabench.store.files import RunStore
from evabench.suite.reading import load_suite
from tests.runs import run
from tools.quickstart_grid import (
    Point,
    best_point,
    descended,
    grid_of,
    grid_points,
    stored_runs,
    target_setter,
    targets_of,
)

COMMITTED = Path(__file__).parents[2] / "results" / "reference" / "quickstart-grid"

START = 1.0


def training(*losses, every=8):
    """Return a curve that begins at `START`; None is a loss that was not finite."""
    evaluations = tuple(
        Evaluation(step=index * every, seconds=0.0, validation_loss=loss) for index, loss in enumerate((START, *losses))
    )
    return Convergence(evaluations=evaluations, training_losses=(), test_loss=None, budget_steps=every * len(losses))


def point(*finals, settings=None):
    trials = tuple(run(seed=seed, measured=training(0.9, final)) for seed, final in enumerate(finals))
    return Point(settings=settings or SgdSettings(lr=1.0), trials=trials)


def test_every_arm_of_the_quick_start_has_a_grid_of_the_same_size_and_seeds_that_are_not_judged():
    suite = load_suite("quickstart")
    grid = grid_of(suite)
    for name in suite.arms:
        assert sum(arm.startswith(f"{name}: ") for arm in grid.arms) == 12
    judged = range(suite.convergence.first_seed, suite.convergence.first_seed + suite.convergence.seeds)
    assert grid.convergence.seeds >= 3
    assert grid.convergence.first_seed > max(judged)
    assert grid.convergence.epochs == suite.convergence.epochs


def test_a_grid_of_another_size_is_refused(monkeypatch):
    suite = load_suite("quickstart")
    monkeypatch.setattr(EvaSettings, "search", {"lr": (0.1, 0.2)})
    with pytest.raises(ValueError, match="arm Eva has 2 points in its `search`, every arm must have 12"):
        grid_of(suite)


def test_the_settings_of_the_quick_start_are_the_best_points_of_the_committed_trials():
    suite = load_suite("quickstart")
    points = grid_points(suite, stored_runs(grid_of(suite), RunStore(COMMITTED / "runs.jsonl").load()))
    for name, settings in suite.arms.items():
        best = best_point(points[name])
        assert best.settings == settings
        assert not best.at_edge


def test_the_target_of_the_quick_start_is_the_one_that_its_committed_seeds_set():
    suite = load_suite("quickstart")
    grid = grid_points(suite, stored_runs(grid_of(suite), RunStore(COMMITTED / "runs.jsonl").load()))
    name = target_setter({arm: best_point(points) for arm, points in grid.items()})
    wanted = targets_of(suite, name, suite.arms[name])
    runs = stored_runs(wanted, RunStore(COMMITTED / "target_runs.jsonl").load())
    assert len(runs) == 8
    (target,) = suite.convergence.targets.values()
    assert target.value == target_value([run.measured for run in runs], 0.75)


def test_a_trial_with_other_settings_is_not_taken_for_one_of_the_grid():
    suite = load_suite("quickstart")
    grid = grid_of(suite)
    with pytest.raises(ValueError, match="no stored run of autoencoder-half, SGD: lr"):
        stored_runs(grid, [run(arm=arm, optimizer=SgdSettings(lr=99.0), seed=1000) for arm in grid.arms])


def line(*finals_of_rates):
    """Return points along the rates of SGD's grid, from its smallest."""
    rates = sorted(SgdSettings.search["lr"])
    return [point(*finals, settings=SgdSettings(lr=rate)) for rate, finals in zip(rates, finals_of_rates, strict=False)]


def test_the_best_point_has_the_lowest_median():
    points = line((0.2, 0.2, 0.2), (0.1, 0.1, 0.6), (0.3, 0.3, 0.3))
    assert best_point(points) is points[1]


def test_a_point_with_one_diverged_seed_is_out_however_good_the_others_are():
    points = line((0.5, 0.5, 0.5), (0.5, 0.5, 0.4), (0.1, 0.1, None), (0.6, 0.6, 0.6))
    assert best_point(points) is points[0]


def test_a_loss_that_blew_up_and_stayed_finite_is_a_failure():
    assert not descended(run(measured=training(0.9, 1e12)))
    points = line((0.5, 0.5, 0.5), (0.5, 0.5, 0.4), (0.1, 0.1, 1e12), (0.6, 0.6, 0.6))
    assert best_point(points) is points[0]


def test_a_point_is_out_where_the_next_larger_rate_failed():
    points = line((0.5, 0.5), (0.4, 0.4), (0.1, 0.1), (0.1, None))
    assert best_point(points) is points[1]


def test_the_largest_rate_of_a_grid_is_never_chosen():
    points = line((0.6,), (0.5,), (0.4,), (0.3,), (0.2,), (0.1,))
    assert best_point(points) is points[4]


def test_no_point_is_chosen_where_each_has_a_failed_seed():
    assert best_point(line((0.1, None), (None, 0.1))) is None


@pytest.mark.parametrize(("lr", "at_edge"), [(0.3, True), (30.0, True), (3.0, False)])
def test_a_point_says_whether_its_learning_rate_is_at_the_edge(lr, at_edge):
    settings = replace(SgdSettings(lr=lr))
    assert point(0.1, settings=settings).at_edge == at_edge
