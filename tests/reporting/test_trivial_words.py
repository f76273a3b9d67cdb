"""The words about arms that ended where a predictor without a net does."""

from dataclasses import replace

from evabench.records.trivial import TrivialLevel
from evabench.reporting.tables.convergence import convergence_table, trivial_warnings
from tests import runs as made
from tests.reporting.reports import make_report, suite

MEAN = TrivialLevel(name="the mean of the samples", validation_loss=1.01)


def trained(*levels):
    """Runs of two arms whose losses end at 0.5, and of one that ends at 1."""
    runs = [*made.trainings("SGD", [40] * 3), *made.trainings("Shampoo", [40, None, None])]
    return [replace(run, measured=replace(run.measured, trivial_levels=levels)) for run in runs]


def test_an_arm_that_ends_at_a_trivial_level_is_named_with_its_seeds():
    report = make_report(suite(), trained(MEAN))
    assert list(trivial_warnings(report)) == [
        "Shampoo on autoencoder learned nothing in 2 of 3 seeds in 2 epochs: it ends where the mean of the samples "
        "already is without a net, at a validation loss of 1.0100."
    ]
    assert "Without a net: the mean of the samples 1.0100." in convergence_table(report.workloads[0]).note


def test_without_levels_nothing_is_said():
    report = make_report(suite(), trained())
    assert list(trivial_warnings(report)) == []
    assert "Without a net" not in convergence_table(report.workloads[0]).note
