"""Writes every output of a gate into one folder, and where a service asks for it."""

import os
from collections.abc import Mapping
from pathlib import Path

from evabench.errors import cannot_write
from evabench.gate.outputs.decision import decision_json
from evabench.gate.outputs.junit import junit_xml
from evabench.gate.outputs.sarif import sarif_json
from evabench.gate.outputs.summary import comment_markdown, summary_markdown
from evabench.gate.report import GateReport


def write_outputs(
    report: GateReport, folder: Path, suite_file: str, environment: Mapping[str, str] = os.environ
) -> tuple[Path, ...]:
    """Write all files and return their paths. Raises `OutputError` where one cannot be written.

    Where GITHUB_STEP_SUMMARY names a file the summary is added to it too.
    """
    texts = {
        "gate.json": decision_json(report),
        "junit.xml": junit_xml(report),
        "gate.sarif": sarif_json(report, suite_file),
        "summary.md": summary_markdown(report),
        "comment.md": comment_markdown(report),
    }
    place = folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            place = folder / name
            place.write_text(text, encoding="utf-8")
        if environment.get("GITHUB_STEP_SUMMARY"):
            place = Path(environment["GITHUB_STEP_SUMMARY"])
            with place.open("a", encoding="utf-8") as file:
                file.write(texts["summary.md"])
    except OSError as error:
        raise cannot_write(place, error, "choose another folder: --output DIR") from None
    return tuple(folder / name for name in texts)
