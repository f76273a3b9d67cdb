"""A report as Markdown, for a repository or a pull request; its pictures are files beside it."""

import html
import re
from collections.abc import Iterator

from evabench.reporting.document import Document, Section, VerdictCard
from evabench.reporting.pictures.picture import Picture
from evabench.reporting.pictures.theme import DARK, LIGHT, Theme
from evabench.reporting.tables.table import Table

PICTURES = "pictures"  # the folder beside the file

# What could begin a link, an emphasis, code, a heading, a list or a table cell in text that is none of these.
_SPECIAL = re.compile(r"([\\`*_\[\]|#~])")


def render_markdown(document: Document) -> str:
    """Return the text. Every text that comes from a suite, a run or a plug-in is escaped."""
    return "\n".join(_lines(document)).rstrip() + "\n"


def picture_files(document: Document) -> dict[str, str]:
    """Return path -> SVG of the pictures that the text shows."""
    found: dict[str, str] = {}
    for number, section in enumerate(document.sections):
        for part in section.parts:
            if isinstance(part, Picture):
                found |= {f"{PICTURES}/{_file(number, part, theme)}": part.svg[theme.name] for theme in (LIGHT, DARK)}
    return found


def _lines(document: Document) -> Iterator[str]:
    report = document.report
    yield from (f"# {_text(report.suite.title)}", "", _text(" ".join(report.suite.description.split())), "")
    if document.headline:
        yield from (f"**{_text(document.headline)}**", "")
    for warning in document.warnings:
        yield from (f"> **Note.** {_text(warning)}", "")
    for group in document.verdicts:
        yield from (f"## {group.title}", "", _text(group.text), "")
        for card in group.cards:
            yield from _card(card)
        if group.lines:
            yield from (*(f"- {_text(line)}" for line in group.lines), "")
    for number, section in enumerate(document.sections):
        yield from _section(number, section)
    if document.failures:
        yield from (f"## {document.failures.title}", "", *_table(document.failures))


def _card(card: VerdictCard) -> Iterator[str]:
    yield from (f"### {_text(card.id)}: {_text(card.headline)}", "", f"> {_text(card.text)} ({_text(card.source)})", "")
    yield from (_text(f"{card.first} {card.measured} {card.reason} {card.decided_by}".strip()), "")
    if card.differences:
        yield "Not tested as stated, because here:"
        yield from ("", *(f"- {_text(difference)}" for difference in card.differences), "")
    if card.evidence:
        yield from (f"{_text(card.evidence.title)}:", "", *_table(card.evidence))
    if card.audit:
        yield from (f"{_text(card.audit.title)}", "", *_table(card.audit))


def _section(number: int, section: Section) -> Iterator[str]:
    yield from (f"## {_text(section.title)}", "", _text(section.text), "")
    for part in section.parts:
        if isinstance(part, Picture):
            yield from (*_picture(number, part), "")
        else:
            yield from (f"### {_text(part.title)}", "", *_table(part))


def _picture(number: int, picture: Picture) -> Iterator[str]:
    alt = html.escape(picture.alt, quote=True).replace("\n", " ")
    yield "<picture>"
    yield f'  <source media="(prefers-color-scheme: dark)" srcset="{PICTURES}/{_file(number, picture, DARK)}">'
    yield f'  <img alt="{alt}" src="{PICTURES}/{_file(number, picture, LIGHT)}">'
    yield "</picture>"


def _table(table: Table) -> Iterator[str]:
    yield f"| {' | '.join(map(_text, table.headings))} |"
    is_text = [position == 0 or heading in table.text for position, heading in enumerate(table.headings)]
    yield f"| {' | '.join('---' if words else '---:' for words in is_text)} |"
    for row in table.rows:
        yield f"| {' | '.join(map(_text, row))} |"
    yield ""
    if table.note:
        yield from (_text(table.note), "")


def _file(number: int, picture: Picture, theme: Theme) -> str:
    return f"{number}-{picture.name}-{theme.name}.svg"


def _text(words: str) -> str:
    """Return text that is only text: one line, no markup, no HTML."""
    return html.escape(_SPECIAL.sub(r"\\\1", " ".join(words.split())), quote=False)
