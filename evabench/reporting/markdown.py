"""A report as Markdown, for a repository or a pull request; its pictures are files beside it."""

import html
import re
from collections.abc import Iterator

from evabench.errors import printable
from evabench.reporting.commands import show_command
from evabench.reporting.document import Document, Fact, Figure, Section, Strip, VerdictCard
from evabench.reporting.pictures.picture import Picture, figure_file
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
    return {
        f"{PICTURES}/{_file(figure, theme)}": figure.part.svg[theme.name]
        for figure in document.figures
        if isinstance(figure.part, Picture)
        for theme in (LIGHT, DARK)
    }


def figure_files(document: Document, kind: str) -> dict[str, bytes]:
    """Return path -> content of every picture of a page as a file of its own, for a paper."""
    return {
        f"figures/{figure.address}.{kind}": figure_file(figure.part, kind)
        for figure in document.figures
        if isinstance(figure.part, Picture)
    }


def _lines(document: Document) -> Iterator[str]:
    report, first = document.report, document.first
    tier = f" ({report.suite.tier})" if report.suite.tier else ""
    yield from (f"# {_text(report.suite.title + tier)}", "")
    if first.answer:
        behind = f" {_text(first.behind)}" if first.behind else ""
        yield from (f"**{_text(first.answer)}**{behind} ({_code(first.address)})", "")
    yield from (f"- {_strip(strip)}" for strip in first.strips)
    yield from (f"- {_text(line)}" for line in first.open)
    yield from ("", *map(_fact, first.facts), f"Again: {_code(first.command)}", "")
    if first.picture is not None and isinstance(first.picture.part, Picture):
        yield from (*_picture(first.picture, first.picture.part), "")
    yield from (_text(" ".join(report.suite.description.split())), "")
    for warning in document.warnings:
        yield from (f"> **Note.** {_text(warning)}", "")
    for group in document.verdicts:
        yield from (f"## {group.title}", "", _text(group.text), "")
        for card in group.cards:
            yield from _card(card)
        if group.table:
            yield from (f"#### {_text(group.table.title)} ({_code(group.address)})", "", *_table(group.table))
    shown = first.picture.address if first.picture else None
    for section in document.sections:
        yield from _section(section, shown)
    source = _code(f"{show_command(report)} ADDRESS/ROW/COLUMN")
    yield f"Where a number comes from: {source}, with the address behind a heading."


def _fact(fact: Fact) -> str:
    return f"{_text(fact.text)}.{f' ({_code(fact.address)})' if fact.address else ''}"


def _strip(strip: Strip) -> str:
    told = [
        f"{strip.estimate} {strip.unit}".strip(),
        f"claimed: {strip.threshold}" if strip.threshold else "",
        strip.rests_on,
    ]
    words = "; ".join(one for one in told if one and one != "-")
    said = " ".join(filter(None, (strip.first, strip.text, words)))
    return f"**{strip.verdict_words}**: {_text(said)} ({_code(strip.address)})"


def _card(card: VerdictCard) -> Iterator[str]:
    yield from (f"### {_text(card.id)}: {_text(card.headline)}", "", f"> {_text(card.text)} ({_text(card.source)})", "")
    yield from (_text(f"{card.first} {card.measured} {card.reason} {card.decided_by}".strip()), "")
    if card.differences:
        yield "Not tested as stated, because here:"
        yield from ("", *(f"- {_text(difference)}" for difference in card.differences), "")
    if card.evidence:
        yield from (f"{_text(card.evidence.title)} ({_code(card.address)}):", "", *_table(card.evidence))
    if card.audit:
        yield from (f"{_text(card.audit.title)} ({_code(card.audit_address)})", "", *_table(card.audit))


def _section(section: Section, shown: str | None) -> Iterator[str]:
    yield from (f"## {_text(section.title)}", "")
    if section.text:
        yield from (_text(section.text), "")
    for block in section.blocks:
        if block.title:
            yield from (f"### {_text(block.title)}", "")
        if block.text:
            yield from (_text(block.text), "")
        for figure in block.figures:
            if isinstance(figure.part, Table):
                yield from (f"#### {_text(figure.part.title)} ({_code(figure.address)})", "", *_table(figure.part))
            elif figure.address != shown:
                yield from (*_picture(figure, figure.part), "")


def _picture(figure: Figure, picture: Picture) -> Iterator[str]:
    alt = html.escape(picture.alt, quote=True).replace("\n", " ")
    yield "<picture>"
    yield f'  <source media="(prefers-color-scheme: dark)" srcset="{PICTURES}/{_file(figure, DARK)}">'
    yield f'  <img alt="{alt}" src="{PICTURES}/{_file(figure, LIGHT)}">'
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


def _file(figure: Figure, theme: Theme) -> str:
    return f"{figure.address}-{theme.name}.svg"


def _code(words: str) -> str:
    return f"`{words.replace('`', '')}`"


def _text(words: str) -> str:
    """Return text that is only text: one line, no markup, no HTML."""
    return html.escape(_SPECIAL.sub(r"\\\1", printable(" ".join(words.split()))), quote=False)
