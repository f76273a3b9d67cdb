"""What the documents print is what the committed runs say; a figure that is changed is found."""

import shutil

import pytest

from tools.docs_figures.all_pages import everything
from tools.docs_figures.page import DOCS, ComputedTable, ComputedWords, mistakes
from tools.docs_figures.stored import significant


@pytest.fixture(scope="module")
def computed():
    return list(everything())


def test_every_table_and_sentence_is_as_computed(computed):
    assert [mistake for one in computed for mistake in mistakes(one)] == []


@pytest.mark.parametrize(
    ("page", "was", "put"),
    [
        ("findings.md", "x1.655", "x1.656"),
        ("findings.md", "0.071 [0.070, 0.072]", "0.070 [0.070, 0.072]"),
        ("baselines.md", "0.059 / 0.048 / 0.059", "0.059 / 0.047 / 0.059"),
        ("baselines.md", "| torch Muon | 4.29", "| torch Muon | 4.28"),
        ("mechanism.md", "0.7362", "0.7361"),
        ("optimizer-cost.md", "1.151x [1.144, 1.158]", "1.151x [1.143, 1.158]"),
        ("gpu.md", "2.55x [2.30, 2.83]", "2.56x [2.30, 2.83]"),
        ("gpu.md", "Eva 122, Eva-f 90", "Eva 121, Eva-f 90"),
        ("optimizer-cost.md", "Eva 230, Eva-f 183", "Eva 230, Eva-f 184"),
        ("mechanism.md", "0.498 [0.470, 0.582]", "0.489 [0.470, 0.582]"),
    ],
)
def test_a_figure_that_is_changed_is_found(computed, tmp_path, page, was, put):
    for one in DOCS.glob("*.md"):
        shutil.copy(one, tmp_path)
    text = (DOCS / page).read_text()
    assert was in text
    (tmp_path / page).write_text(text.replace(was, put, 1))
    assert [mistake for one in computed for mistake in mistakes(one, tmp_path)]


def test_a_row_too_many_and_a_table_that_is_gone_are_found(tmp_path):
    (tmp_path / "a.md").write_text("| x | y |\n|---|---|\n| 1 | **2** |\n| 3 | 4 |\n")
    table = ComputedTable(page="a.md", heading=("x", "y"), rows=[("1", "2")])
    assert list(mistakes(table, tmp_path)) == ["a.md, ('x', 'y'): 2 rows, 1 computed"]
    gone = ComputedTable(page="a.md", heading=("x", "z"), rows=[])
    assert list(mistakes(gone, tmp_path)) == ["a.md has no table | x | z |"]


def test_words_are_found_over_the_ends_of_lines(tmp_path):
    (tmp_path / "a.md").write_text("It is *far*\n  `0.5` away.")
    assert list(mistakes(ComputedWords(page="a.md", text="far 0.5 away"), tmp_path)) == []
    assert list(mistakes(ComputedWords(page="a.md", text="far 0.6 away"), tmp_path)) == [
        "a.md does not say: far 0.6 away"
    ]


@pytest.mark.parametrize(
    ("value", "words"), [(14.71, "14.7"), (130.2, "130"), (0.0589999, "0.0590"), (2.8, "2.80"), (220.4, "220")]
)
def test_significant_digits_keep_their_zeros(value, words):
    assert significant(value) == words
