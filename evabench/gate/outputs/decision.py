"""The answer as JSON, for programs that keep or discard a change: a stable schema, with every pair behind it.

1   2026-11-26   the first
"""

import json
from typing import Any, Literal

from evabench.errors import ExitCode
from evabench.gate.report import GateReport
from evabench.gate.verdict import exit_code, findings, headline
from evabench.records.codec import encode

Decision = Literal["keep", "discard", "undecided"]

SCHEMA = 1


def decision_of(report: GateReport) -> Decision:
    """Return what a program may do: "keep" what passed everything, "discard" a regression; else nobody knows."""
    kinds = {one.kind for one in findings(report)}
    if "regression" in kinds:
        return "discard"
    return "undecided" if kinds & {"invalid", "missing", "undecided"} else "keep"


def decision_json(report: GateReport) -> str:
    """Return the decision, the findings and the whole report."""
    answer: dict[str, Any] = {
        "schema": SCHEMA,
        "decision": decision_of(report),
        "exit_code": int(exit_code(report)),
        "exit_name": ExitCode(exit_code(report)).name.lower(),
        "headline": headline(report),
        "findings": [
            {"kind": one.kind, "layer": one.layer, "cell": one.cell, "text": one.text} for one in findings(report)
        ],
        "report": json.loads(encode(GateReport, report)),
    }
    return json.dumps(answer, indent=1) + "\n"
