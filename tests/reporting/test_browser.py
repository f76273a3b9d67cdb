"""The page in a real browser, as a reader opens it."""

import shutil

import pytest

from evabench.reporting.html import render_html
from evabench.reporting.sections import make_document
from tests.reporting.reports import document, hostile_document, long_named_report

CHROMIUM = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    file = tmp_path_factory.mktemp("page") / "index.html"
    file.write_text(render_html(document()))
    return file.as_uri()


def opened(browser, address, scheme="light", width=1200):
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(address)
    return page


def background(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_window_and_nothing_is_complained_about(browser, address, scheme, width):
    page = opened(browser, address, scheme, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_picture_is_drawn(browser, address, scheme):
    page = opened(browser, address, scheme)
    widths = page.evaluate("Array.from(document.images, image => image.naturalWidth)")
    assert len(widths) == 6
    assert all(width > 100 for width in widths)


def test_a_dark_reader_gets_a_dark_page_and_other_pictures(browser, address):
    light, dark = opened(browser, address, "light"), opened(browser, address, "dark")
    assert background(light) == "rgb(255, 255, 255)"
    assert background(dark) != background(light)
    shown = "Array.from(document.images, image => image.currentSrc)"
    assert all(a != b for a, b in zip(light.evaluate(shown), dark.evaluate(shown), strict=True))


def test_the_evidence_of_a_claim_opens_on_a_click(browser, address):
    page = opened(browser, address)
    evidence = page.locator("details.card .more").first
    assert not evidence.is_visible()
    page.locator("details.card summary").first.click()
    assert evidence.is_visible()


@pytest.mark.parametrize("width", [360, 1200])
def test_a_very_long_name_is_broken_and_leaves_the_numbers_in_sight(browser, tmp_path, width):
    file = tmp_path / "index.html"
    file.write_text(render_html(make_document(long_named_report())))
    page = opened(browser, file.as_uri(), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    names = page.evaluate("Array.from(document.querySelectorAll('tbody th span'), name => name.offsetWidth)")
    assert max(names) <= min(16 * 16, 0.4 * width)


def test_markup_in_names_is_shown_as_text_and_never_run(browser, tmp_path):
    file = tmp_path / "index.html"
    file.write_text(render_html(hostile_document()))
    page = browser.new_page()
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.goto(file.as_uri())
    assert asked == []
    assert '<script>alert("x")</script>' in page.inner_text("h1")
