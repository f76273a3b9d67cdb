"""The committed reports are what the command makes of the committed runs."""

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from tools.reference_reports import REPORTS, ROOT, RUNS, listed, reports, shown, write

MOST_BYTES = 2 * 2**20  # of a page


def test_every_folder_of_runs_that_has_the_name_of_a_suite_has_a_report():
    names = {
        file.parent.name
        for file in RUNS.glob("*/runs.jsonl")
        if (ROOT / "suites" / f"{file.parent.name}.toml").exists()
    }
    assert names == {file.parent.name for file in REPORTS.glob("*/index.html")}


def test_no_page_is_larger_than_two_mebibytes():
    sizes = {file.parent.name: file.stat().st_size for file in REPORTS.glob("*/index.html")}
    assert sizes
    assert {name: size for name, size in sizes.items() if size > MOST_BYTES} == {}


def test_the_list_names_matplotlib_and_its_font():
    text = (REPORTS / "README.md").read_text()
    assert "matplotlib " in text
    assert "the font DejaVu Sans" in text


def test_the_first_sentence_of_every_page_is_read_in_ten_seconds():
    for page in sorted(REPORTS.glob("*/report.md")):
        answer = next(line for line in page.read_text().splitlines() if line.startswith("**")).split("**")[1]
        assert answer[0].isupper(), page
        assert len(answer.split()) <= 30, (page, answer)


def test_the_readme_begins_with_a_picture_that_is_there():
    text = (ROOT / "README.md").read_text()
    picture = text.split('srcset="')[1].split('"')[0]
    assert (ROOT / picture).exists()
    assert text.index("<picture>") < text.index("```")


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_reports_are_the_same_bytes_again(tmp_path: Path):
    made = dict(reports())
    for name, document in made.items():
        write(document, tmp_path / name)
    same_versions = (
        f"matplotlib {version('matplotlib')}, numpy {version('numpy')}" in (REPORTS / "README.md").read_text()
    )
    for file in sorted(path for path in tmp_path.rglob("*") if path.is_file()):
        committed = REPORTS / file.relative_to(tmp_path)
        if same_versions or file.name == "report.md":
            assert file.read_bytes() == committed.read_bytes(), committed
    assert (REPORTS / "README.md").read_text() == listed(made) or not same_versions
    readme = (ROOT / "README.md").read_text()
    first = "quickstart" if "quickstart" in made else "memory"
    assert shown(readme, first, made[first]) == readme


def test_the_lines_of_output_in_the_readme_are_of_its_own_commands():
    text = (ROOT / "README.md").read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("REGRESSION")]
    gate = json.loads((RUNS / "gate-live/host-read.json").read_text())
    assert line.removeprefix("REGRESSION").strip() in [one["text"] for one in gate["findings"]]
    answer = text.split("<!-- the answer of these runs")[1].split("```text\n")[1].split("```")[0]
    report = (REPORTS / "quickstart/report.md").read_text()
    assert " ".join(answer.split()).partition("): ")[2].partition(".")[0] in report
