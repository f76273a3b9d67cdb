"""The page in a real browser, as a reader opens it and plays with it."""

import csv
import re

import pytest
from playwright.sync_api import expect

from evabench.reporting.html import render_html
from evabench.reporting.sections import make_document
from tests import runs as made
from tests.reporting.browsers import CHROMIUM, all_drawn, chromium, opened
from tests.reporting.hostile import named
from tests.reporting.reports import HOSTILE, document, hostile_document, long_named_report, make_report, suite
from tests.reporting.test_charts import energetic_report
from tests.reporting.test_mechanism_tables import probe, probed

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"),
]
LOSSES = "#convergence\\.autoencoder"


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    file = tmp_path_factory.mktemp("page") / "index.html"
    file.write_text(render_html(document()))
    return file.as_uri()


@pytest.fixture(scope="module")
def page(browser, address):
    """One page for the tests that leave it as they found it."""
    page = opened(browser, address)
    all_drawn(page)
    return page


def background(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def written(path, document):
    file = path / "index.html"
    file.write_text(render_html(document))
    return file.as_uri()


def downloaded(page, button):
    with page.expect_download() as caught:
        button.click()
    with open(caught.value.path(), newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("width", [400, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_window_asks_for_nothing_and_nothing_is_complained_about(browser, address, scheme, width):
    page = opened(browser, address, scheme, width)
    all_drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.complaints == []
    assert all(url.startswith(("file:", "data:", "blob:")) for url in page.asked_for)


def test_without_a_script_every_picture_is_drawn_for_light_and_dark(browser, address):
    sources = []
    for scheme in ("light", "dark"):
        page = opened(browser, address, scheme, java_script_enabled=False)
        widths = page.locator("figure img:visible").evaluate_all("images => images.map(image => image.naturalWidth)")
        assert len(widths) == document_pictures()
        assert all(width > 100 for width in widths)
        assert not page.locator("#controls").is_visible()
        sources.append(page.locator("figure img:visible").evaluate_all("images => images.map(image => image.src)"))
    assert all(a != b for a, b in zip(*sources, strict=True))


def document_pictures():
    return sum(hasattr(figure.part, "svg") for figure in document().figures)


def test_the_answer_the_picture_the_noise_and_the_command_are_on_the_first_screen(page):
    page.evaluate("scrollTo(0, 0)")
    assert page.locator(".answer").bounding_box()["y"] < 200
    assert page.locator(".screen figure").bounding_box()["y"] < 450
    told = page.locator(".facts", has_text="Again").bounding_box()
    assert told["y"] + told["height"] < 900  # the host, the noise and the command that repeats it


def test_the_contents_stay_in_view(page):
    page.locator("#about-conditions").scroll_into_view_if_needed()
    assert page.locator(".contents").bounding_box()["y"] >= 0
    page.evaluate("scrollTo(0, 0)")


def test_every_entry_of_the_contents_leads_to_a_section(page):
    links = page.locator(".contents a").evaluate_all("links => links.map(link => link.hash.slice(1))")
    assert {"claims", "about-cost", "about-memory", "about-convergence", "about-conditions"} <= set(links)
    assert all(page.locator(f"#{link}").count() == 1 for link in links)


def test_one_switch_changes_the_axis_of_every_chart_that_has_it(browser, address):
    page = opened(browser, address)
    all_drawn(page)
    figure = page.locator(LOSSES)
    scale = f"document.querySelector('{LOSSES.replace(chr(92), chr(92) * 2)} .plot').plotted.scales.x.max"
    assert page.evaluate(scale) == 72
    figure.get_by_role("button", name="seconds").click()
    assert figure.get_by_role("button", name="seconds").get_attribute("aria-pressed") == "true"
    assert page.evaluate(scale) < 10  # 72 steps of at most 70 ms


def test_an_arm_that_is_switched_off_leaves_every_chart_and_table(browser, address):
    page = opened(browser, address)
    all_drawn(page)
    assert page.locator("tbody tr:visible th", has_text=re.compile("^Eva$")).count() > 3
    page.get_by_label("Eva", exact=True).uncheck()
    assert page.locator("tbody tr:visible th", has_text=re.compile("^Eva$")).count() == 0
    assert page.locator(".rows .name", has_text=re.compile("^Eva$")).count() == 0
    lines = "Array.from(document.querySelectorAll('.plot'), p => p.plotted.series.map(s => s.label)).flat()"
    assert "Eva" not in page.evaluate(lines)
    page.get_by_role("button", name="All", exact=True).click()
    assert "Eva" in page.evaluate(lines)


def test_hovering_tells_the_values_of_all_arms_there(page):
    over = page.locator(f"{LOSSES} .u-over")
    over.scroll_into_view_if_needed()
    over.hover(position={"x": 120, "y": 60})
    tip = page.locator(f"{LOSSES} .tip")
    assert tip.is_visible()
    assert all(arm in tip.inner_text() for arm in made.ARMS)
    assert "steps" in tip.inner_text()


def test_hovering_over_a_bar_tells_its_parts(page):
    bar = page.locator("#memory\\.autoencoder .stack").first
    bar.scroll_into_view_if_needed()
    bar.hover()
    assert "parameters" in page.locator("#memory\\.autoencoder .tip").inner_text()


def test_dragging_zooms_in_and_a_button_zooms_out(browser, address):
    page = opened(browser, address)
    all_drawn(page)
    over = page.locator(f"{LOSSES} .u-over")
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    width = "Math.round(document.querySelector('#convergence\\\\.autoencoder .plot').plotted.scales.x.max)"
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 140, steps=4)
    page.mouse.up()
    assert page.evaluate(width) < 72
    page.locator(f"{LOSSES} .zoom-out").click()
    assert page.evaluate(width) == 72


def test_a_click_on_a_number_shows_its_address_and_the_address_leads_to_the_number(browser, address):
    page = opened(browser, address)
    all_drawn(page)  # a picture that is drawn moves what is below it
    caption = page.locator("#cost\\.autoencoder figcaption .address")
    assert caption.inner_text() == "cost.autoencoder"
    page.locator("#cost\\.autoencoder tbody tr").nth(1).locator("td").first.click()
    expect(caption).to_have_text("cost.autoencoder/eva/step")  # the browser tells of a new address a little later
    assert page.url.endswith("#cost.autoencoder/eva/step")
    again = opened(browser, page.url)
    assert again.locator(".pointed").inner_text() == "11.0 ms"
    assert "--id cost.autoencoder/eva/step" in again.locator("#cost\\.autoencoder .address").first.get_attribute(
        "title"
    )


def test_the_address_of_a_number_in_a_folded_table_opens_the_fold(browser, address):
    page = opened(browser, address)
    row = page.locator("#claims details .more tbody tr").first.get_attribute("id")
    page = opened(browser, f"{address}#{row}/estimate")
    assert page.locator(".pointed").is_visible()


def test_a_row_shows_its_address_to_the_keyboard(page):
    link = page.locator("#cost\\.autoencoder .row-address").first
    link.focus()
    assert link.evaluate("one => getComputedStyle(one).opacity") == "1"
    assert link.get_attribute("href") == "#cost.autoencoder/sgd"


def test_a_heading_sorts_its_table_by_number_and_back(browser, address):
    page = opened(browser, address)
    table = page.locator("#cost\\.autoencoder table")
    first = table.locator("tbody th").first
    table.get_by_role("button", name="step", exact=True).click()
    assert first.inner_text() == "SGD"
    table.get_by_role("button", name="step", exact=True).click()
    assert first.inner_text() == "K-FAC@1"
    assert table.locator("th[aria-sort=descending]").count() == 1


def test_the_theme_of_the_reader_can_be_overruled(browser, address):
    page = opened(browser, address, "light")
    assert background(page) == "rgb(255, 255, 255)"
    page.get_by_label("Theme").select_option("dark")
    assert background(page) != "rgb(255, 255, 255)"
    page.get_by_label("Theme").select_option("light")
    assert background(page) == "rgb(255, 255, 255)"


def test_print_has_the_pictures_the_folded_evidence_and_no_controls(browser, address):
    page = opened(browser, address, "dark")
    all_drawn(page)
    evidence = page.locator("details.card .more").first
    assert not evidence.is_visible()
    page.emulate_media(media="print")
    assert background(page) == "rgb(255, 255, 255)"
    assert evidence.bounding_box()["height"] > 40
    assert page.locator("figure.picture img.when-light").first.bounding_box()["height"] > 100
    tables = "Array.from(document.querySelectorAll('main table'), one => one.getBoundingClientRect().right)"
    assert max(page.evaluate(tables)) <= page.evaluate("document.documentElement.clientWidth")
    assert not page.locator("nav").is_visible()
    assert not page.locator(".chart").first.is_visible()


def test_the_evidence_of_a_claim_opens_on_a_click(browser, address):
    page = opened(browser, address)
    card = page.locator("#claims details.card").first
    for fold in page.locator("#claims details.open > summary").all():
        fold.click()
    assert not card.locator(".more").is_visible()
    card.locator("summary").click()
    assert card.locator(".more").is_visible()


def test_a_chart_and_a_table_are_downloaded_as_csv(page):
    rows = downloaded(page, page.locator(f"{LOSSES} .tools").get_by_role("button", name="CSV"))
    assert rows[0] == ["arm", "steps", "seconds", "validation loss", "low", "high"]
    assert {row[0] for row in rows[1:]} == set(made.ARMS)
    table = downloaded(page, page.locator("#cost\\.autoencoder figcaption").get_by_role("button", name="CSV"))
    assert [row[0] for row in table[1:]] == list(made.ARMS)


def test_a_profile_is_computed_anew_for_the_arms_that_are_shown(browser, tmp_path):
    steps = {"SGD": 40, "Eva": 20, "K-FAC@1": 28}
    runs = [one for arm, count in steps.items() for one in made.trainings(arm, [count] * 4)]
    page = opened(browser, written(tmp_path, make_document(make_report(suite(), runs))))
    all_drawn(page)
    assert page.locator("#about-profile figure").count() == 1
    plots = "Array.from(document.querySelectorAll('.plot'), plot => plot.plotted)"
    chart = f"{plots}.find(plot => plot.axes[1].label.startsWith('share of workloads'))"
    before = page.evaluate(f"{chart}.data[{chart}.series.findIndex(s => s.label === 'K-FAC@1')][0]")
    page.get_by_label("Eva", exact=True).uncheck()
    after = page.evaluate(f"{chart}.data[{chart}.series.findIndex(s => s.label === 'K-FAC@1')][0]")
    assert (before, after) == (0, 1)


@pytest.mark.parametrize("width", [360, pytest.param(1200, marks=pytest.mark.long)])
def test_a_very_long_name_is_broken_and_leaves_the_numbers_in_sight(browser, tmp_path, width):
    page = opened(browser, written(tmp_path, make_document(long_named_report())), width=width)
    all_drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    names = page.evaluate("Array.from(document.querySelectorAll('tbody th span'), name => name.offsetWidth)")
    assert max(names) <= min(16 * 16, 0.4 * width)


def test_markup_in_names_is_shown_as_text_and_never_run(browser, tmp_path):
    page = opened(browser, written(tmp_path, hostile_document()))
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    all_drawn(page)
    assert asked == []
    assert page.complaints == []
    assert '<script>alert("x")</script>' in page.inner_text("h1")
    assert any(HOSTILE[:20] in text for text in page.locator(".arms label").all_inner_texts())


def test_a_script_that_got_into_the_page_would_not_run(browser, tmp_path):
    text = render_html(document()).replace("</main>", "<script>document.title = 'taken'</script></main>")
    file = tmp_path / "index.html"
    file.write_text(text)
    page = opened(browser, file.as_uri())
    assert page.title() == "A made-up suite"
    assert "Content Security Policy" in " ".join(page.complaints)


@pytest.mark.parametrize(
    "name", ["=1+2", *(pytest.param(name, marks=pytest.mark.long) for name in ("+1+2", "-1+2", "@SUM(A1)"))]
)
def test_a_name_that_is_a_formula_stays_text_in_csv(browser, tmp_path, name):
    page = opened(browser, written(tmp_path, make_document(named(name))))
    all_drawn(page)
    rows = downloaded(page, page.locator("#cost\\.autoencoder figcaption").get_by_role("button", name="CSV"))
    assert f"'{name}" in [row[0] for row in rows]


@pytest.mark.parametrize("kind", ["right to left", "ten kilobytes"])
def test_a_name_of_another_direction_or_of_ten_kilobytes_does_no_harm(browser, tmp_path, kind):
    name = "\u202eabc\u202c \u05d0\u05d1" if kind == "right to left" else "x" * 10_000
    page = opened(browser, written(tmp_path, make_document(named(name))), width=400)
    all_drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert page.complaints == []
    assert page.locator("tbody th", has_text="SGD").first.is_visible()


def test_a_page_of_runs_with_energy_switches_to_joules(browser, tmp_path):
    page = opened(browser, written(tmp_path, make_document(energetic_report())))
    all_drawn(page)
    figure = page.locator(LOSSES)
    figure.get_by_role("button", name="joules").click()
    plot = f"document.querySelector('{LOSSES.replace(chr(92), chr(92) * 2)} .plot').plotted"
    assert page.evaluate(f"{plot}.axes[0].label") == "steps x energy of a step"
    assert page.evaluate(f"{plot}.scales.x.max") == 144  # 72 steps of 2 J
    assert page.evaluate(f"{plot}.series.map(one => one.label)")[1:] == ["SGD", "Eva"]
    rows = downloaded(page, figure.locator(".tools").get_by_role("button", name="CSV"))
    assert rows[0][:4] == ["arm", "steps", "seconds", "joules"]


def probed_page(browser, tmp_path):
    probes = [probed("Eva", seed, probe(0, mean), probe(5, mean)) for seed, mean in enumerate((0.2, 0.3, 0.6))]
    page = opened(browser, written(tmp_path, make_document(make_report(suite(), probes))), width=400)
    all_drawn(page)
    return page


def test_the_pictures_of_probes_have_a_switch_a_hover_and_their_numbers(browser, tmp_path):
    page = probed_page(browser, tmp_path)
    figure = page.locator("#shares\\.autoencoder")
    figure.get_by_role("button", name="output gradients").click()
    assert figure.get_by_role("button", name="output gradients").get_attribute("aria-pressed") == "true"
    figure.locator(".u-over").hover(position={"x": 40, "y": 60})
    assert "mean" in figure.locator(".tip").inner_text()
    assert "layer" in figure.locator(".tip").inner_text()
    rows = downloaded(page, figure.locator(".tools").get_by_role("button", name="CSV"))
    assert rows[0] == ["line", "inputs", "output gradients", "share of the factor's trace", "low", "high"]
    assert page.get_by_label("best direction").count() == 0  # no arm
    assert page.complaints == []


def test_the_cosines_of_a_method_are_switched_and_told(browser, tmp_path):
    page = probed_page(browser, tmp_path)
    figure = page.locator("#methods\\.autoencoder")
    figure.get_by_role("button", name="Eva-f for FOOF").click()
    assert figure.locator(".rows .told").first.inner_text() == "0.5"
    figure.locator(".several").first.hover()
    assert "to the gradient" in figure.locator(".tip").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    rows = downloaded(page, figure.locator(".tools").get_by_role("button", name="CSV"))
    assert rows[1][:3] == ["Eva for K-FAC", "authors'", "0.3"]


def test_counts_are_sorted_by_their_size_and_not_by_their_digits(browser, address):
    page = opened(browser, address)
    table = page.locator("#cost\\.autoencoder table")
    told = ["500 M", "1.11 G", "3.00 k", "2.00 T", "7"]
    table.locator("tbody tr td:nth-child(2)").evaluate_all(
        "(cells, told) => cells.forEach((cell, i) => (cell.textContent = told[i]))", told
    )
    table.get_by_role("button", name="step", exact=True).click()
    assert table.locator("tbody tr td:nth-child(2)").all_inner_texts() == ["7", "3.00 k", "500 M", "1.11 G", "2.00 T"]
