"""SARIF 2.1.0, for services that show findings beside the code."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import evabench
from evabench.gate.report import Coverage, GateReport
from evabench.gate.verdict import Finding, Kind, findings

_LEVELS: dict[Kind, str] = {
    "regression": "error",
    "invalid": "error",
    "missing": "error",
    "undecided": "warning",
    "quarantined": "note",
    "change": "note",
}
_RULES = {
    "counted": "A counter of a step: bytes, operators, launches, host reads",
    "own_time": "The time of the optimizer's own work in a step",
    "step": "The time of a training step",
    "process_peak": "The peak of memory of the process",
    "clocks": "The clocks of the GPU: locked, or alike on both sides",
    "control": "Equal sides must be measured as equal",
    "coverage": "Lines of the change that no gated cell executes",
    "gate": "The gate itself",
}


def sarif_json(report: GateReport, suite_file: str) -> str:
    """Return the log. What belongs to no line of code is placed at the suite's file, which names its cell."""
    placed = [one for one in findings(report) if one.kind in _LEVELS and one.layer != "coverage"]
    results = [_result(one, suite_file, 1) for one in placed]
    results += list(_of_coverage(report.coverage)) if report.coverage else []
    rules = [{"id": f"gate/{name}", "shortDescription": {"text": words}} for name, words in _RULES.items()]
    driver = {"name": "evabench gate", "semanticVersion": evabench.__version__, "rules": rules}
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }
    return json.dumps(log, indent=1) + "\n"


def _of_coverage(coverage: Coverage) -> Iterator[dict[str, Any]]:
    for one in coverage.uncovered:
        for line in one.lines:
            text = "No cell of the gate executes this line of the change."
            finding = Finding(kind="undecided", layer="coverage", cell=None, text=text)
            yield _result(finding, one.file, line)


def _result(finding: Finding, file: str, line: int) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": quote(file)}, "region": {"startLine": line}}
    return {
        "ruleId": f"gate/{finding.layer}",
        "level": _LEVELS[finding.kind],
        "message": {"text": finding.text},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"cell/v1": f"{finding.layer}:{finding.cell or file}:{line}"},
    }
