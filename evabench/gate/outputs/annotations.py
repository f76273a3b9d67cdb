"""Workflow commands that a service shows beside a pull request (`::error title=...::...`)."""

from collections.abc import Iterator

from evabench.gate.report import GateReport
from evabench.gate.verdict import findings

_COMMANDS = {"regression": "error", "invalid": "error", "missing": "error", "undecided": "warning"}


def annotations(report: GateReport) -> Iterator[str]:
    """Yield a command for each finding that may fail a gate, and one for each file with lines that nothing covers."""
    for one in findings(report):
        command = _COMMANDS.get(one.kind)
        if command and one.layer != "coverage":
            yield f"::{command} title={_property(f'evabench gate, {one.layer}')}::{_data(one.text)}"
    for uncovered in report.coverage.uncovered if report.coverage else ():
        first, last = uncovered.lines[0], uncovered.lines[-1]
        place = f"file={_property(uncovered.file)},line={first},endLine={last}"
        yield f"::warning {place},title=evabench gate%2C coverage::no gated cell executes these lines of the change"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
