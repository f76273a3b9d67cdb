"""The files that a report is written as: a format is one row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from evabench.reporting.document import Document
from evabench.reporting.html import render_html
from evabench.reporting.markdown import picture_files, render_markdown


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One way to write a page."""

    file: str  # which of its files a person opens
    render: Callable[[Document], str]
    files_beside: Callable[[Document], Mapping[str, str]]  # path -> text of what it refers to


def _none(_: Document) -> Mapping[str, str]:
    return {}


FORMATS = (
    Format(file="index.html", render=render_html, files_beside=_none),
    Format(file="report.md", render=render_markdown, files_beside=picture_files),
)
