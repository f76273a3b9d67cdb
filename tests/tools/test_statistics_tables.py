"""docs/statistics.md: its tables are those of the tool, and no verdict is wrong more often than it says."""

import re
from pathlib import Path

import numpy as np
import pytest

from evabench.claims.judgement import Verdict
from tools import statistics_tables as tool

DRAWS = 150


def of(text, title):
    """Return the rows of a table of the docs."""
    block = text.split(f"**{title}**")[1].split("\n\n")[1]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in block.strip().splitlines()]


def test_the_docs_hold_every_table_with_enough_draws():
    text = tool.DOCS.read_text(encoding="utf-8")
    draws = int(re.search(r"--draws (\d+)", text.split(tool.BEGIN)[1])[1])
    assert draws >= 1000
    for title in re.findall(r'title="([^"]+)"', Path(tool.__file__).read_text(encoding="utf-8")):
        assert len(of(text, title)) > 2, title


def test_the_docs_say_that_a_time_to_target_is_wrong_in_at_most_5_percent():
    for row in of(tool.DOCS.read_text(encoding="utf-8"), "Time to target, both noises")[2:]:
        supported, refuted, _, _, before, _ = (float(cell.removesuffix(" %")) for cell in row[1:])
        assert max(supported, refuted) <= 5.0
        assert supported <= before


@pytest.mark.parametrize("case", tool.CASES[:3], ids=lambda case: case.noise)
def test_at_its_boundary_a_time_to_target_is_hardly_ever_decided(case):
    asked, threshold = tool.claim("at_least", 1.0), 1 - tool.TOLERANCE
    found = tool.verdicts(np.random.default_rng(1), asked, [lambda r: tool.times(r, threshold, case)], DRAWS)
    assert found[Verdict.SUPPORTED] + found[Verdict.REFUTED] <= 0.05 * DRAWS


def test_the_page_is_written_between_its_marks_only():
    table = tool.Table(title="T", headings=("a", "b"), rows=(("1", "2"),))
    page = f"before\n{tool.BEGIN}\nold\n{tool.END}\nafter"
    made = tool.written(page, iter([table]), 10)
    assert made.startswith("before\n")
    assert made.endswith("\nafter")
    assert "old" not in made
    assert tool.written(made, iter([table]), 10) == made
