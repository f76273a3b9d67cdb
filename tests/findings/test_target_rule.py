import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evabench.findings.goals import Goal, first_hit
from evabench.findings.target_rule import NoTarget, best_hit_within, num_needed, set_target, target_value
from evabench.records.convergence import Convergence, Evaluation
from evabench.records.set_target import SetTarget
from evabench.settings.targets import Target
from tests.runs import cell, failed, run

ASKED = Target(reference="SGD", at=0.75)


def curve(*losses, metric="loss"):
    """An evaluation a step; the budget is their number."""
    evaluations = tuple(
        Evaluation(step=step, seconds=1.0, validation_loss=value)
        if metric == "loss"
        else Evaluation(step=step, seconds=1.0, validation_loss=1.0, validation_accuracy=value)
        for step, value in enumerate(losses, start=1)
    )
    return Convergence(evaluations=evaluations, training_losses=(), test_loss=1.0, budget_steps=len(losses))


@pytest.mark.parametrize(
    ("losses", "share", "value"),
    [
        ((9, 7, 5, 3), 0.5, 7),  # at step 2 it is the worse of 7 and 5, at step 1 that of 9 and 7
        ((9, 7, 5, 3), 0.75, 5),
        ((9, 7, 5, 3), 0.25, 9),
        ((9, 1, 5, 3), 0.5, 5),  # one lucky evaluation is no hit
        ((9, None, 5, 3), 0.5, None),
        ((None, None, 5, 3), 0.75, 5),
    ],
)
def test_the_best_hit_is_the_worse_of_two_evaluations_in_a_row(losses, share, value):
    assert best_hit_within(curve(*losses), share) == value


def test_the_untrained_net_hits_nothing():
    untrained = Evaluation(step=0, seconds=0.0, validation_loss=1.0)
    trained = curve(4, 7, 5, 3)
    assert best_hit_within(replace(trained, evaluations=(untrained, *trained.evaluations)), 0.75) == 5


def test_an_accuracy_is_the_better_the_higher():
    assert best_hit_within(curve(0.1, 0.5, 0.4, 0.9, metric="accuracy"), 0.5, "accuracy") == 0.4


def test_a_share_of_the_budget_is_exact_where_floating_point_is_not():
    losses = [100 - step for step in range(100)]
    assert best_hit_within(curve(*losses), 0.57) == losses[56]  # 0.57 * 100 < 57 in floating point


@pytest.mark.parametrize(("num_runs", "needed"), [(8, 8), (9, 9), (10, 9), (11, 10), (20, 18), (30, 27), (70, 63)])
def test_nine_tenths_of_the_runs_are_needed_rounded_up(num_runs, needed):
    assert num_needed(num_runs) == needed


def test_of_eight_runs_the_slowest_sets_the_value_and_of_ten_the_second_slowest():
    curves = [curve(9, end, end, end) for end in range(1, 11)]
    assert target_value(curves[:8], 0.75) == 8
    assert target_value(curves, 0.75) == 9


def test_of_accuracies_the_second_lowest_of_ten_sets_the_value():
    curves = [curve(0.0, end, end, end, metric="accuracy") for end in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)]
    assert target_value(curves, 0.75, "accuracy") == 0.2


def test_a_run_that_diverged_hits_nothing_and_counts():
    curves = [curve(9, 1, 1, 1)] * 9
    assert target_value([*curves, None], 0.75) == 1
    assert target_value([*curves[:8], None], 0.75) is None


LOSSES = st.lists(st.one_of(st.none(), st.floats(0.01, 9)), min_size=4, max_size=12)


@given(st.lists(LOSSES, min_size=8, max_size=12), st.floats(0.3, 0.95), st.booleans())
def test_nine_tenths_hit_the_value_in_time_and_no_better_one(losses, share, rising):
    metric = "accuracy" if rising else "loss"
    curves = [curve(*one, metric=metric) for one in losses]
    value = target_value(curves, share, metric)

    def num_in_time(goal):
        hits = [(first_hit(one.evaluations, goal), one.budget_steps) for one in curves]
        return sum(hit is not None and hit.step <= share * steps * (1 + 1e-9) for hit, steps in hits)

    if value is None:
        assert num_in_time(Goal(0.0 if rising else 10.0, metric)) < num_needed(len(curves))
        return
    assert num_in_time(Goal(value, metric)) >= num_needed(len(curves))
    better = math.nextafter(value, math.inf if rising else 0.0)
    assert num_in_time(Goal(better, metric)) < num_needed(len(curves))


@given(st.lists(LOSSES, min_size=8, max_size=8), st.floats(0.51, 0.94))
def test_more_time_never_sets_an_easier_target(losses, at):
    made = set_target(replace(ASKED, at=at), cell(), setting(curve(*one) for one in losses))
    assert isinstance(made, NoTarget) or made.easier >= made.value >= made.harder


def setting(curves, first_seed=2000):
    return {
        seed: replace(run("SGD", measured=made, seed=seed), key=str(seed))
        for seed, made in enumerate(curves, start=first_seed)
    }


# Of 20 steps each; the slowest of the eight is at 1.8 after half of them, at 1.3 after 75 % and at 1.1 after 95 %.
EIGHT = [
    curve(*(early - 0.1 * index for index in range(8)), *[0.5] * 12) for early in (9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0)
] + [curve(*[9.0] * 9, 1.8, 1.8, *[1.4] * 3, 1.3, 1.3, *[1.2] * 2, 1.1, 1.1)]


def test_the_three_values_and_the_runs_that_set_them_are_kept():
    made = set_target(ASKED, cell(), setting(EIGHT))
    assert isinstance(made, SetTarget)
    assert (made.easier, made.value, made.harder) == (1.8, 1.3, 1.1)
    assert (made.num_hits, made.run_keys) == (8, tuple(str(seed) for seed in range(2000, 2008)))


def test_another_value_share_or_run_is_another_hash():
    made = set_target(ASKED, cell(), setting(EIGHT))
    others = (
        set_target(replace(ASKED, at=0.8), cell(), setting(EIGHT)),
        set_target(ASKED, cell(), setting(EIGHT, first_seed=3000)),
        replace(made, value=1.31),
    )
    assert len({made.hash, *(other.hash for other in others)}) == 4
    assert made.hash == set_target(ASKED, cell(), setting(EIGHT)).hash


def test_seven_runs_set_no_target_and_a_crashed_one_does_not_count():
    runs = setting(EIGHT)
    runs[2003] = failed(runs[2003], "crashed")
    made = set_target(ASKED, cell(), runs)
    assert made.reason.startswith("7 of 8 target-setting runs of SGD count and 8 are needed; --retry-failed makes")


def test_a_reference_that_diverges_in_one_of_eight_seeds_sets_no_target_however_low_it_came():
    runs = setting(EIGHT)
    runs[2003] = replace(runs[2003], outcome=replace(runs[2003].outcome, kind="diverged"))
    made = set_target(ASKED, cell(), runs)
    assert made.reason == (
        "there is no validation loss that 8 of 8 target-setting runs of SGD hit within 50 % of the budget"
    )


def test_a_workload_without_classes_sets_no_accuracy():
    made = set_target(replace(ASKED, metric="accuracy"), cell(), setting(EIGHT))
    assert made.reason.startswith("there is no validation accuracy that 8 of 8")
