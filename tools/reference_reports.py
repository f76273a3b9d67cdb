"""The committed reports: `python -m tools.reference_reports` makes `reports/reference/` from `results/reference/`.

A folder of runs that has the name of a suite becomes a page and a Markdown file. The same runs, code and versions give
the same bytes: Matplotlib's version and font, and those of the libraries that compute, stand in
`reports/reference/README.md`. The first picture of the first report, with its one sentence, goes into the README.
"""

import re
import shutil
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from evabench.cli.stored import report_of
from evabench.reporting.document import Document
from evabench.reporting.formats import FORMATS
from evabench.reporting.pictures.picture import Picture
from evabench.reporting.pictures.theme import FONT
from evabench.reporting.report import Report
from evabench.reporting.run_sets import run_sets, size_of
from evabench.reporting.sections import make_document
from evabench.reporting.tables.origin import sources_words
from evabench.store.files import RunStore
from evabench.suite.reading import read_suite

ROOT = Path(__file__).parent.parent
RUNS, REPORTS = ROOT / "results" / "reference", ROOT / "reports" / "reference"
FIRST = ("quickstart", "memory")  # the README shows the first of these that has runs
_LIBRARIES = ("matplotlib", "numpy", "scipy")
_COLUMNS = 80  # of a terminal
_SHOWN = re.compile(r"(<!-- a reference report: [^>]*-->\n).*?(<!-- end -->)", re.DOTALL)
_ANSWERED = re.compile(r"(<!-- the answer of these runs: [^>]*-->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> None:
    """Make every page, the list of them, and the picture of the README."""
    shutil.rmtree(REPORTS, ignore_errors=True)
    made = dict(reports())
    for name, document in made.items():
        write(document, REPORTS / name)
        print(f"{name}: {(REPORTS / name / 'index.html').stat().st_size / 2**20:.2f} MiB")
    (REPORTS / "README.md").write_text(listed(made), encoding="utf-8")
    first = next(name for name in FIRST if name in made)
    readme = ROOT / "README.md"
    readme.write_text(shown(readme.read_text(encoding="utf-8"), first, made[first]), encoding="utf-8")


def reports() -> Iterator[tuple[str, Document]]:
    """Yield the report of each folder that has the name of a suite."""
    for file in sorted(RUNS.glob("*/runs.jsonl")):
        name = file.parent.name
        if (ROOT / "suites" / f"{name}.toml").exists():
            suite = size_of(RunStore(file).load(), [read_suite(name)])
            assert suite is not None, f"{file} has no run of {name}"
            (runs,) = run_sets(suite, [file])
            place = f"results/reference/{name}"
            yield name, make_document(_of_any_code(report_of(suite, runs), place, f"{file}: "))


def _of_any_code(report: Report, place: str, told_of: str) -> Report:
    """Return a report that says the same whatever code is installed when it is made, and wherever its runs lie."""
    note = f"Made with the {sources_words(report.runs)}: what is installed now may be faster, slower or another method."
    notes = (note, *(one.removeprefix(told_of) for one in report.store_notes if one.startswith(told_of)))
    return replace(report, older=(), store_notes=notes, label="", place=place)


def write(document: Document, folder: Path) -> None:
    """Write one report in every format."""
    for one in FORMATS:
        for name, text in {**one.files_beside(document), one.file: one.render(document)}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def listed(made: dict[str, Document]) -> str:
    """Return the list of the reports, with what their bytes rest on."""
    versions = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    lines = [
        "# Reference reports",
        "",
        "Made by `make reference-reports` from the runs in `results/reference/`; never edited.",
        f"Their bytes rest on {versions} and the font {FONT}, which comes with Matplotlib.",
        "",
    ]
    for name, document in made.items():
        lines += [f"- [{document.report.suite.title}]({name}/report.md) ([page]({name}/index.html))", ""]
        lines += [f"  {document.first.answer}", ""] if document.first.answer else []
    return "\n".join(lines).rstrip() + "\n"


def shown(readme: str, name: str, document: Document) -> str:
    """Return the README with the first picture of a report, its one sentence, and the answer of the terminal."""
    figure = document.first.picture
    assert figure is not None
    assert isinstance(figure.part, Picture)
    folder = f"reports/reference/{name}"
    base = f"{folder}/pictures/{figure.address}"
    words = (
        f"**{document.first.answer}** {document.first.behind} ([the whole report]({folder}/report.md))\n\n"
        f'<picture>\n  <source media="(prefers-color-scheme: dark)" srcset="{base}-dark.svg">\n'
        f'  <img alt="{figure.part.title}" src="{base}-light.svg">\n</picture>\n'
    )
    changed, count = _SHOWN.subn(lambda found: found[1] + words + found[2], readme)
    told = textwrap.fill(document.headline, _COLUMNS, break_long_words=False, break_on_hyphens=False)
    changed, answered = _ANSWERED.subn(lambda found: f"{found[1]}```text\n{told}\n```\n{found[2]}", changed)
    assert count == answered == 1, "README.md has no place for the picture, or for the answer, of a reference report"
    return changed


if __name__ == "__main__":
    main()
