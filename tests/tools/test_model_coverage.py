"""The table of docs/coverage.md is what the tool prints, for the versions that the page names."""

import re
from importlib.metadata import version
from pathlib import Path

import pytest

from tools.model_coverage import MODELS, row

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore")]  # what the packages say about their own code

PAGE = (Path(__file__).parents[2] / "docs" / "coverage.md").read_text()
ROWS = {line.split(" | ")[0].removeprefix("| "): line for line in PAGE.partition("## Models")[2].splitlines()[2:]}
PACKAGES = ("timm", "torchvision", "transformers")
OTHERS = [name for name in PACKAGES if re.search(rf"{name} ([0-9.]+\d)", PAGE)[1] != version(name).partition("+")[0]]


def test_the_table_has_every_model_once_and_none_of_them_fails():
    assert [name for name in ROWS if name in MODELS] == list(MODELS)
    assert not [line for line in ROWS.values() if "| - |" in line]


@pytest.mark.skipif(OTHERS != [], reason=f"the table is of other versions: {', '.join(OTHERS)}")
@pytest.mark.parametrize("name", MODELS)
def test_a_row_of_the_table_is_what_the_tool_says(name):
    assert row(name) == ROWS[name]
