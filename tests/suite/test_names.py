"""Names that nobody could read, or tell from another one."""

import pytest

from evabench.suite.reading import load_suite
from tests.suite.files import GOOD, mistakes, write


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "arms: '' is no name: give it a letter at least"),
        ("SGD ", "arms: 'SGD ' begins or ends with a space, which no table shows: take it out"),
        (r"\u0405GD", r"look alike: rename one of them"),  # with a Cyrillic letter
        (r"SGD\u00a0", "begins or ends with a space"),
        (r"\uff33GD", r"(SGD and \uff33GD) look alike: rename one of them"),
    ],
)
def test_a_name_that_nobody_tells_from_another_is_refused(tmp_path, name, told):
    assert told in mistakes(tmp_path, GOOD.replace("[arms.Eva]", f'[arms."{name}"]'))


def test_two_ways_to_write_one_letter_are_one_name(tmp_path):
    text = GOOD.replace("[arms.Eva]", r'[arms."\u00e9"]') + '\n[arms."e\\u0301"]\noptimizer = "eva"\n'
    assert "look alike" in mistakes(tmp_path, text)


def test_names_of_any_script_are_names(tmp_path):
    assert load_suite(write(tmp_path, GOOD.replace("[arms.Eva]", '[arms."λ = 0.03 対角"]')))
