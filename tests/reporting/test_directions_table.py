"""One line an arm about what it follows: words that a newcomer reads before any verdict."""

import pytest

from evabench.records.directions import DirectionProbe, Directions, LayerDirection
from evabench.records.measurement import ConvergenceSettings, DirectionsSettings
from evabench.records.trivial import TrivialLevel
from evabench.reporting.tables.directions import direction_table, followed_table
from tests import runs as made
from tests.reporting.reports import make_report, suite

ASKED = DirectionsSettings(training=ConvergenceSettings(steps=72, evaluate_every=4))
LEVELS = (
    TrivialLevel(name="the mean", validation_loss=0.2),
    TrivialLevel(name="a component", validation_loss=0.1, is_constant=False),
)


def probe(cosines, stretch, loss=0.4):
    layers = tuple(
        LayerDirection(name=str(index), gradient_square=square, cosine=cosine, stretch=stretch, curvature=1e-5)
        for index, (cosine, square) in enumerate(cosines)
    )
    return DirectionProbe(step=0, validation_loss=loss, layers=layers, clip_factor=1.0, stretch=stretch)


def row(*probes, arm="Eva", followed="direction", levels=LEVELS):
    record = Directions(followed=followed, probes=probes, trivial_levels=levels)
    (workload,) = make_report(suite(), [made.run(arm, ASKED, record)]).workloads
    found = {}
    for table in (followed_table(workload), direction_table(workload)):
        (one,) = table.rows
        found |= dict(zip(table.headings, one, strict=True))
    return found


def test_an_arm_that_follows_the_gradient_is_told_by_its_learning_rate():
    found = row(probe([(0.99999, 3.0), (0.2, 1.0)], 1 / 0.03), probe([(1.0, 1.0)], 1 / 0.03, loss=0.05))
    assert found["what it follows"] == (
        "the gradient to 1.0000: only its learning rate is another, 1/damping = 33.3 times larger"
    )
    assert (found["cosine"], found["lowest cosine"]) == ("1.0000", "0.2")
    assert found["curvature"] == "1e-05"
    assert found["loss / trivial"] == "4 to 0.5"


@pytest.mark.parametrize(
    ("stretch", "words"), [(1.0, "at its length"), (12.0, "12 times larger"), (0.25, "0.25 of its size")]
)
def test_a_length_that_is_not_that_of_the_damping_stands_alone(stretch, words):
    assert row(probe([(1.0, 1.0)], stretch))["what it follows"].endswith(words)


def test_the_layers_with_most_of_the_gradient_decide():
    assert row(probe([(1.0, 1.0), (0.4, 9.0)], 2.0))["what it follows"] == "a direction of its own"


def test_an_update_is_shown_and_never_called_the_gradient():
    found = row(probe([(1.0, 1.0)], 1.0), arm="SGD", followed="update", levels=())
    assert found["what it follows"] == "its update, momentum and all"
    assert found["loss / trivial"] == "-"


def test_without_probes_there_is_no_table():
    (workload,) = make_report(suite(), made.trainings("SGD", [40])).workloads
    assert followed_table(workload) is None
    assert direction_table(workload) is None
