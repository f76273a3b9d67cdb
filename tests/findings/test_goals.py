"""When a run hits a goal, and when it only seems to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evabench.findings.goals import Goal, first_hit, steps_to_target
from evabench.records.convergence import Evaluation


def curve(*losses, every=10):
    return [
        Evaluation(step=every * (i + 1), seconds=float(i + 1), validation_loss=loss) for i, loss in enumerate(losses)
    ]


@pytest.mark.parametrize(
    ("losses", "steps"),
    [
        ((0.9, 0.5, 0.4), 20),  # the first of two in a row, at the target is enough
        ((0.9, 0.4, 0.6, 0.5, 0.5), 40),  # a lucky evaluation is none
        ((0.9, 0.8, 0.4), None),  # a first hit at the last evaluation
        ((0.4, None, 0.4), None),  # not finite is not at the target
        ((None, 0.4, 0.3), 20),
        ((0.6, 0.7), None),
        ((), None),
    ],
)
def test_a_hit_is_the_first_of_two_consecutive_evaluations_at_the_target(losses, steps):
    assert steps_to_target(curve(*losses), Goal(0.5)) == steps


def test_the_untrained_net_cannot_hit():
    untrained = Evaluation(step=0, seconds=0.0, validation_loss=0.1)
    assert steps_to_target([untrained, *curve(0.1, 0.9)], Goal(0.5)) is None


def test_the_hit_knows_the_runs_own_clock():
    hit = first_hit(curve(0.9, 0.5, 0.4), Goal(0.5))
    assert hit is not None
    assert hit.seconds == 2.0


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=12), st.floats(0, 1), st.floats(0, 1))
def test_an_easier_target_is_never_hit_later(losses, one, other):
    easy, hard = max(one, other), min(one, other)
    hard_steps, easy_steps = (steps_to_target(curve(*losses), Goal(value)) for value in (hard, easy))
    assert hard_steps is None or (easy_steps is not None and easy_steps <= hard_steps)


def accuracies(*values):
    return [
        Evaluation(step=10 * (i + 1), seconds=float(i + 1), validation_loss=1.0, validation_accuracy=value)
        for i, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("values", "steps"),
    [
        ((0.5, 0.7, 0.8), 20),  # higher is better, at the target is enough
        ((0.5, 0.8, 0.6, 0.7, 0.9), 40),
        ((0.5, 0.6, 0.8), None),
        ((None, 0.9, 0.9), 20),
        ((0.1, 0.1), None),  # what would hit a loss of 0.7 is far from an accuracy of 0.7
    ],
)
def test_an_accuracy_is_hit_from_below(values, steps):
    assert steps_to_target(accuracies(*values), Goal(0.7, "accuracy")) == steps


def test_a_workload_without_accuracy_never_hits_one():
    assert steps_to_target(curve(0.9, 0.9), Goal(0.1, "accuracy")) is None
