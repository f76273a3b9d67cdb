"""What the build of the site refuses beyond broken links, which `make docs` finds."""

import pytest

from tests.docs.blocks import ROOT
from tools.docs_site.no_network import asked_of_the_network


@pytest.mark.parametrize(
    "element",
    [
        '<script src="https://x.org/a.js"></script>',
        '<link rel="stylesheet" href="//x.org/a.css">',
        '<img src="http://x.org/a.png">',
    ],
)
def test_what_a_browser_would_fetch_elsewhere_is_found(element):
    assert len(list(asked_of_the_network(element))) == 1


@pytest.mark.parametrize(
    "element",
    ['<a href="https://x.org">x</a>', '<script src="assets/a.js"></script>', '<link rel="canonical" href="https://x">'],
)
def test_what_only_a_reader_follows_and_what_lies_beside_the_page_is_not(element):
    assert list(asked_of_the_network(element)) == []


def test_the_navigation_has_every_page():
    listed = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")]
    assert [page for page in pages if f": {page}\n" not in listed] == []
