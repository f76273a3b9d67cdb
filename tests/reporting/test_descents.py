"""A suite of many arms and few seeds says what they show: who ended lower than it began."""

from evabench.reporting.descents import descents_answer
from evabench.reporting.first_screen import first_screen
from evabench.reporting.sections import sections
from evabench.settings.eva import EvaSettings
from evabench.suite.convergence import ConvergenceTable
from tests import runs as made
from tests.reporting.reports import make_report, suite

ARMS = {"SGD": made.ARMS["SGD"], **{f"Eva {number}": EvaSettings(lr=0.1 * number) for number in range(1, 11)}}


def trained(arms, never=(), seeds=2):
    """Return a report of arms that hit the target in each seed, but for some that never do."""
    runs = [
        one for arm in arms for one in made.trainings(arm, [None if arm in never else 20] * seeds, optimizer=ARMS[arm])
    ]
    budget = ConvergenceTable(seeds=seeds, epochs=2, evaluate_every=made.EVERY)
    return make_report(
        suite(arms={arm: ARMS[arm] for arm in arms}, step_time=None, memory=None, convergence=budget), runs
    )


def test_of_many_open_comparisons_the_page_says_who_ended_lower_and_names_the_exceptions():
    report = trained(ARMS, never=("Eva 2",))
    found = first_screen(report, sections(report))
    assert found.answer == "Of 11 trainings of an arm on a net 10 end at a lower validation loss than they began with."
    assert "in every seed; the exception: Eva 2 on autoencoder." in found.behind
    assert "Against SGD none of 10 comparisons is decided." in found.behind
    assert "needs 8 seeds, has 2" in found.behind


def test_of_many_exceptions_four_are_named_and_the_others_counted():
    _, behind = descents_answer(trained(ARMS, never=tuple(ARMS)[3:]))
    assert "the exceptions: Eva 3 on autoencoder; Eva 4 on autoencoder; " in behind
    assert "; and 4 more. Against" in behind


def test_where_all_end_lower_none_is_an_exception():
    answer, _ = descents_answer(trained(ARMS))
    assert answer == "All 11 trainings of an arm on a net end at a lower validation loss than they began with."


def test_a_few_comparisons_are_told_themselves():
    report = trained([*ARMS][:3])
    assert descents_answer(report) == ("", "")
    assert first_screen(report, sections(report)).answer.startswith("Eva 1 against SGD: ")
