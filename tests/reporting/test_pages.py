"""The same report as a page and as Markdown: whole, self-contained, and deaf to markup in names."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from evabench.errors import printable
from evabench.reporting.html import render_html
from evabench.reporting.markdown import figure_files, picture_files, render_markdown
from evabench.reporting.pictures.cost import step_time_picture
from evabench.reporting.pictures.picture import legend_columns, legend_inches
from evabench.reporting.pictures.styles import arm_looks
from evabench.reporting.sections import make_document, warnings
from tests import runs as made
from tests.reporting.hostile import named
from tests.reporting.reports import HOSTILE, document, hostile_document, make_report, report, suite


class Tags(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.addresses = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name in {"src", "srcset", "href"}]


@pytest.fixture(scope="module")
def page():
    return render_html(document())


@pytest.fixture(scope="module")
def hostile_page():
    return render_html(hostile_document())


def test_a_page_asks_for_nothing_and_has_one_script(page):
    parsed = Tags(page)
    assert parsed.tags.count("script") == 1 + page.count('<script type="application/json">')
    assert "link" not in parsed.tags
    assert parsed.addresses
    assert all(address.startswith(("data:image/svg+xml,", "#")) for address in parsed.addresses)


def test_every_picture_is_there_for_light_and_dark(page):
    assert page.count('<img class="when-light"') == page.count('<img class="when-dark"') == 6


def test_every_picture_says_in_words_what_it_shows(page):
    alts = re.findall(r'alt="([^"]+)"', page)
    assert len(alts) == 12  # each for light and dark
    assert any("K-FAC@10 3.0000x [" in alt for alt in alts)


def test_a_page_names_the_net_and_every_claim(page):
    assert "784-500-250 mirrored, batch 250" in page
    for claim in ("C1", "C2-kfac", "C2-shampoo", "C3-growth", "C3-size"):
        assert f">{claim}<" in page


def test_names_cannot_put_a_tag_into_the_page(page, hostile_page):
    assert set(Tags(hostile_page).tags) == set(Tags(page).tags)
    assert hostile_page.count("<script") == page.count("<script")
    assert "&lt;script&gt;" in hostile_page


def test_names_cannot_put_a_tag_a_link_or_a_column_into_markdown():
    text = render_markdown(hostile_document())
    assert "<script" not in text
    for line in text.splitlines():
        if not line.startswith("  <"):  # a line of the HTML around a picture, where Markdown means nothing
            assert "](javascript" not in line.replace("\\]", ""), line
        if line.startswith("| "):
            unescaped = re.sub(r"\\.", "", line)
            assert not re.search(r"[`*\[\]]", unescaped), line


def test_every_row_of_a_markdown_table_has_the_columns_of_its_heading():
    columns = None
    for line in render_markdown(hostile_document()).splitlines():
        if not line.startswith("|"):
            columns = None
            continue
        count = re.sub(r"\\.", "", line).count("|")
        assert columns in (None, count), line
        columns = count


def test_markdown_shows_exactly_the_pictures_that_are_written_beside_it():
    text, files = render_markdown(document()), picture_files(document())
    assert set(re.findall(r"pictures/[\w.-]+\.svg", text)) == set(files)


def test_pictures_are_the_same_bytes_every_time():
    assert picture_files(document()) == picture_files(make_document(report()))


def test_a_dollar_sign_in_a_name_is_no_mathematics():
    assert HOSTILE.count("$") == 2
    assert all(svg.startswith("<?xml") for svg in picture_files(hostile_document()).values())


@pytest.mark.parametrize("tier", ["laptop", None])
def test_a_size_of_a_suite_stands_behind_its_title_in_markdown(tier):
    heading = render_markdown(make_document(make_report(suite(tier=tier), made.visits("SGD", 0.01)))).partition("\n")[0]
    assert heading == ("# A made-up suite (laptop)" if tier else "# A made-up suite")


def test_what_nobody_can_see_is_spelled_out_in_all_of_a_page():
    words = {"title": "\u202etitle", "description": "\u200btext \x9b31m", "decided_by": "\u202elarger"}
    page = render_html(make_document(make_report(suite(**words), made.visits("SGD", 0.01))))
    assert not {"\u202e", "\u200b", "\x9b"} & set(page)
    assert "\\u202etitle" in page


def test_what_is_missing_stands_above_the_numbers():
    page = render_html(replace(document(), warnings=warnings(report(num_missing=3, num_older=2))))
    assert page.index("3 runs that the suite asks for") < page.index("Claims made elsewhere")
    assert "2 stored runs of older code are not used." in page


@pytest.mark.parametrize(("num", "shown"), [(5, False), (6, True)])
def test_the_picture_shows_an_interval_only_where_the_table_does(num, shown):
    few = [*made.visits("SGD", 0.01, num), *made.visits("Eva", 0.02, num)]
    (workload,) = make_report(suite(), few).workloads
    assert ("bar: 95 % interval" in step_time_picture(workload, arm_looks(made.ARMS)).svg["light"]) is shown


def test_a_legend_of_long_names_has_fewer_columns_and_more_rows():
    names = ["K-FAC"] * 6, ["x" * 28] * 6
    assert [legend_columns(labels) for labels in names] == [6, 2]
    assert legend_inches(names[1]) > legend_inches(names[0]) == 0


@pytest.mark.parametrize("name", ["\u202egnp.exe", "x" * 10_000])
def test_a_name_of_another_direction_or_of_ten_kilobytes_stays_text_in_markdown(name):
    text = render_markdown(make_document(named(name)))
    assert "\u202e" not in text
    assert printable(name) in text.replace("\\_", "_")


@pytest.mark.parametrize(("num", "full"), [(1, False), (6, True)])
def test_a_ratio_of_too_few_pairs_has_another_dot_than_one_with_an_interval(num, full):
    few = [*made.visits("SGD", 0.01, num), *made.visits("Eva", 0.02, num)]
    (workload,) = make_report(suite(), few).workloads
    picture = step_time_picture(workload, arm_looks(made.ARMS)).svg["light"]
    dots = [style for style in re.findall(r'<use [^>]*style="([^"]*)"', picture) if "#d55e00" in style]
    assert [style.startswith("fill: #d55e00") for style in dots] == [full]


@pytest.mark.parametrize(("kind", "begins"), [("pdf", b"%PDF"), ("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_every_picture_of_a_page_is_a_figure_for_a_paper_too_with_the_same_bytes_each_time(kind, begins):
    one = replace(document(), sections=document().sections[:1])
    files = figure_files(one, kind)
    assert files
    assert all(name.startswith("figures/") and name.endswith(f".{kind}") for name in files)
    assert all(content.startswith(begins) for content in files.values())
    assert figure_files(one, kind) == files


def test_every_row_of_a_table_has_an_address_and_every_column_its_part_of_one(page):
    table = re.search(r'<figure class="table" data-address="cost\.autoencoder".*?</figure>', page, re.DOTALL)[0]
    assert 'data-id="step-sgd"' in table
    assert 'id="cost.autoencoder/k-fac-10"' in table
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_every_link_inside_a_page_leads_to_something_in_it(page):
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(re.findall(r' id="([^"]+)"', page))


def test_every_number_of_the_first_screen_has_its_address_beside_it(page):
    for address in ("first.runs", "first.noise", document().first.address):
        assert f'title="evabench show made-up.toml --id {address}">{address}</a>' in page
        assert f"(`{address}`)" in render_markdown(document())


def test_an_address_stands_behind_the_command_that_shows_it(page):
    assert 'title="evabench show made-up.toml --id cost.autoencoder"' in page


def test_a_page_of_runs_from_elsewhere_names_their_place():
    document_ = make_document(replace(report(), place="results/of theirs"))
    command = "evabench show made-up.toml --runs &#39;results/of theirs&#39; --id"
    assert command in render_html(document_)
    assert "evabench show made-up.toml --runs 'results/of theirs' --id ADDRESS/ROW/COLUMN" in render_markdown(document_)
