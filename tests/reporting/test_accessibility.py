"""axe-core finds nothing on the pages: names of controls, order of headings, contrast in both schemes."""

from functools import cache

import pytest

from evabench.reporting.html import render_html
from evabench.reporting.sections import make_document
from tests import runs as made
from tests.reporting.browsers import CHROMIUM, all_drawn, chromium, opened
from tests.reporting.hostile import named
from tests.reporting.reports import document, hostile_document, long_named_report, make_report, suite
from tools.reference_reports import REPORTS

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"),
]


def _of_few():
    return make_document(make_report(suite(), [*made.visits("SGD", 0.01, 2), *made.visits("Eva", 0.02, 2)]))


MADE_UP = {
    "whole": document,
    "hostile names": hostile_document,
    "long names": lambda: make_document(long_named_report()),
    "few runs": _of_few,
    "another direction": lambda: make_document(named("\u202eabc")),
}
REAL = sorted(file.parent.name for file in REPORTS.glob("*/index.html"))
ONLY_COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}


@cache
def html(name):
    return render_html(MADE_UP[name]())


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


def violations(page, options=None):
    """Return what axe-core finds on a page on which every chart is drawn and every fold is open."""
    from axe_playwright_python.sync_playwright import Axe

    all_drawn(page)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = Axe().run(page, options={"resultTypes": ["violations"], **(options or {})})
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ]


# Names change no colour, so that one report shows the dark scheme at each commit, and all of them before a release.
SEEN = [
    pytest.param(name, scheme, marks=() if scheme == "light" or name == "whole" else pytest.mark.long)
    for name in MADE_UP
    for scheme in ("light", "dark")
]


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize(("name", "scheme"), SEEN)
def test_a_page_has_no_violation(browser, tmp_path, name, width, scheme):
    file = tmp_path / "index.html"
    file.write_text(html(name))
    page = opened(browser, file.as_uri(), scheme, width)
    assert violations(page) == []


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("name", REAL)
def test_a_reference_report_has_no_violation_in_either_scheme(browser, name, width):
    address = (REPORTS / name / "index.html").as_uri()
    for scheme, options in (("light", None), ("dark", ONLY_COLOURS)):  # a scheme changes colours alone
        page = opened(browser, address, scheme, width)
        page.set_default_timeout(120_000)
        assert violations(page, options) == []
        assert page.complaints == []
        page.context.close()
