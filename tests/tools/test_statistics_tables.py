"""docs/statistics.md: its tables are those of the tool, and no verdict is wrong more often than it says."""

import re

import numpy as np
import pytest

from evabench.claims.judgement import Verdict
from tools.statistics_tables.__main__ import TABLES
from tools.statistics_tables.draws import Losses, differences, step_times, times
from tools.statistics_tables.exponents import NOISES
from tools.statistics_tables.losses import LOSSES
from tools.statistics_tables.table import BEGIN, DOCS, END, Table, written
from tools.statistics_tables.times import DESIGNS, TIMED
from tools.statistics_tables.verdicts import TOLERANCE, claim, verdicts

DRAWS = 150
TEXT = DOCS.read_text(encoding="utf-8")
NUM_DRAWS = int(re.search(r"--draws (\d+)", TEXT.split(BEGIN)[1])[1])


def of(title):
    """Return the rows of a table of the docs, without its headings."""
    block = TEXT.split(f"**{title}**")[1].split("\n\n")[1]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in block.strip().splitlines()][2:]


def percent(cell):
    return float(cell.removesuffix(" %"))


def monte_carlo(rate):
    """Return three standard errors of a rate that the page has from its experiments, in percent."""
    return 300 * (rate / 100 * (1 - rate / 100) / NUM_DRAWS) ** 0.5


def test_the_docs_hold_every_table_with_enough_draws():
    titles = re.findall(r"^\*\*(.+)\*\*$", TEXT.split(BEGIN)[1].split(END)[0], re.M)
    assert len(titles) == len(TABLES)
    assert NUM_DRAWS >= 1000
    assert all(len(of(title)) > 1 for title in titles)


@pytest.mark.parametrize(
    ("title", "columns"),
    [
        ("Time to target, both noises", (1, 2)),
        ("Steps to target", (1, 2)),
        ("Step time", (1, 2)),
        ("Validation loss, not worse by a margin", (1, 2)),
        ("Other final metrics", (2, 3)),
    ],
)
def test_at_its_boundary_no_verdict_is_wrong_in_more_than_5_percent(title, columns):
    for row in of(title):
        for column in columns:
            assert percent(row[column]) <= 5.0 + monte_carlo(5.0), row


def test_at_its_boundary_no_exponent_of_a_cost_is_judged_wrongly_in_more_than_5_percent():
    at_the_boundary = [row for row in of("Exponent of a cost") if "the boundary" in row[0]]
    assert len(at_the_boundary) == len(NOISES)
    for row in at_the_boundary:
        for column in (1, 2):
            assert percent(row[column]) <= 5.0 + monte_carlo(5.0), row


def test_a_shown_interval_of_95_percent_holds_the_truth_as_often():
    for name, inside in of("Coverage of the interval that is shown"):
        assert percent(inside) >= 95.0 - monte_carlo(95.0), name


def test_what_is_counted_is_never_answered_wrongly():
    for row in of("What is counted"):
        assert row[2:] == ["100.0 %", "100.0 %"]


@pytest.mark.parametrize("design", DESIGNS[:3], ids=lambda design: design.noise)
def test_at_its_boundary_a_time_to_target_is_hardly_ever_decided(design):
    asked, threshold = claim("at_least", 1.0), 1 - TOLERANCE
    found = verdicts(np.random.default_rng(1), asked, [lambda r: times(r, threshold, design)], DRAWS)
    assert found[Verdict.SUPPORTED] + found[Verdict.REFUTED] <= 0.05 * DRAWS


def test_what_the_page_has_of_a_skewed_loss_comes_out_again():
    row = next(
        row for row, losses in zip(of("Validation loss, not worse by a margin"), LOSSES, strict=True) if losses.skewed
    )
    random, at = np.random.default_rng(2), -np.log(1.02)
    asked = claim("not_worse_by", 0.02, "validation_loss_ratio")
    found = verdicts(random, asked, [lambda r: differences(r, at, Losses(skewed=True))], 1000)
    assert found[Verdict.REFUTED] / 10 == pytest.approx(percent(row[2]), abs=2.5)
    assert percent(row[6]) > 10  # the rule from before


def test_visits_that_resemble_each_other_have_wider_bounds():
    random = np.random.default_rng(3)
    widths = [step_times(random, 1.0, design).resemblance.widening for design in TIMED]
    assert min(widths) > 1
    assert widths[TIMED.index(next(one for one in TIMED if one.arms == 20))] == max(widths)


def test_the_page_is_written_between_its_marks_only():
    table = Table(title="T", headings=("a", "b"), rows=(("1", "2"),))
    page = f"before\n{BEGIN}\nold\n{END}\nafter"
    made = written(page, [table], 10)
    assert made.startswith("before\n")
    assert made.endswith("\nafter")
    assert "old" not in made
    assert written(made, [table], 10) == made
