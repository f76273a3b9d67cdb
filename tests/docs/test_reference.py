"""The generated pages are what the code says now."""

import pytest

from tools.docs_reference.pages import COMMAND, FOLDER, pages
from tools.docs_reference.settings import sections

PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_as_the_code_has_it(name):
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name], f"write it anew: {COMMAND}"


def test_every_key_of_a_suite_has_a_meaning():
    nameless = [(heading, key.kind, key.name) for heading, _, keys in sections() for key in keys if not key.meaning]
    assert nameless == []


def test_a_key_says_what_it_may_be_its_default_and_its_unit():
    assert "| `lr` | number >= 0 | `0.1` |  | learning rate" in PAGES["settings.md"]
    assert "| `refresh_every` | whole number >= 1 | `10` | steps |" in PAGES["settings.md"]
    assert "| `timeout_seconds` | number > 0 | `600.0` | s |" in PAGES["settings.md"]
