"""Markdown for a step summary and for a comment that is found again and replaced. Text of others is escaped."""

import re
from collections.abc import Iterator

from evabench.gate.report import GateReport
from evabench.gate.verdict import LAYER_WORDS, exit_code, findings, headline

MARK = "<!-- evabench gate: {suite} -->"  # by which a comment is found again: one a suite
_SPECIAL = re.compile(r"([\\`*_\[\]|#~<>&@!])")
_ICONS = {"regression": ":x:", "invalid": ":warning:", "missing": ":warning:", "undecided": ":grey_question:"}
_MAX_FINDINGS = 50


def summary_markdown(report: GateReport) -> str:
    """Return the answer, what decided it, and a table of the timed layers."""
    return "\n".join(_lines(report)) + "\n"


def comment_markdown(report: GateReport) -> str:
    """Return the summary with the mark by which a job finds its own comment again."""
    return f"{MARK.format(suite=report.suite)}\n{summary_markdown(report)}"


def _lines(report: GateReport) -> Iterator[str]:
    yield f"### evabench gate: {_text(headline(report))}"
    yield ""
    found = findings(report)
    shown = [one for one in found if one.kind not in {"note", "change"}] or list(found[:5])
    for one in shown[:_MAX_FINDINGS]:
        yield f"- {_ICONS.get(one.kind, ':information_source:')} {_text(one.text)}"
    if len(shown) > _MAX_FINDINGS:
        yield f"- and {len(shown) - _MAX_FINDINGS} more, in gate.json"
    yield ""
    if report.timed:
        yield from _table(report)
    changed = [one for one in found if one.kind == "change"]
    if changed:
        yield f"<details><summary>{len(changed)} counters are others, and fail nothing</summary>\n"
        yield from (f"- {_text(one.text)}" for one in changed[:_MAX_FINDINGS])
        yield "\n</details>\n"
    base = f"base {_text(report.base)}, " if report.base else ""
    yield f"{base}head {_text(report.head)}; {_text(report.processor)}; exit code {int(exit_code(report))}."


def _table(report: GateReport) -> Iterator[str]:
    yield "| cell | layer | answer | slower by | bounds | pairs |"
    yield "|---|---|---|---:|---:|---:|"
    for one in report.timed:
        seen = one.looks[-1] if one.looks else None
        words = (
            f"{seen.slowdown:+.1%} | {seen.lower:+.1%} to {seen.upper:+.1%} | {seen.num_pairs}" if seen else "- | - | -"
        )
        yield f"| {_text(one.cell)} | {LAYER_WORDS[one.layer]} | {one.answer} | {words} |"
    yield ""


def _text(text: str) -> str:
    """Return text in which nothing is markup, HTML or a mention."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
