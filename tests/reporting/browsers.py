"""A real Chromium, and pages in it as a reader opens them: from disk, without a network."""

import shutil
from contextlib import contextmanager

CHROMIUM = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)


@contextmanager
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def opened(browser, address, scheme="light", width=1200, **options):
    """Return a page of a browser that has no network, with everything that its console was told."""
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 900}, offline=True, accept_downloads=True, **options
    )
    page = context.new_page()
    page.complaints, page.asked_for = [], []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda request: page.asked_for.append(request.url))
    page.goto(address)
    return page


def all_drawn(page):
    """Scroll through a page, so that every chart of it is drawn."""
    for figure in page.locator("figure.picture", has=page.locator(".tools")).all():
        figure.scroll_into_view_if_needed()
        figure.locator(".chart > *").first.wait_for()
