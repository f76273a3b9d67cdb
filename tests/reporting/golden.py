"""What a report says of committed runs, as data: `python -m tests.reporting.golden` writes it anew.

Figures, not words: answers, the cells of tables, the numbers of charts. Claims of papers are left out, which come and
go with the ledger, and so is what depends on the code that is installed.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path

from pydantic import TypeAdapter

from evabench.cli.stored import report_of
from evabench.reporting.answers import ReportAnswer, report_answer
from evabench.reporting.charts.encoding import encoded
from evabench.reporting.sections import make_document
from evabench.reporting.tables.table import Table
from evabench.suite.reading import load_suite

FOLDER = Path(__file__).parents[1] / "golden" / "report"
RUNS, EXPECTED = FOLDER / "runs.jsonl", FOLDER / "report.json"


def golden_report(runs=RUNS):
    """Return the report of a file of runs of the committed suite."""
    from evabench.reporting.run_sets import run_sets

    suite = load_suite(str(FOLDER / "small.toml"))
    (found,) = run_sets(suite, [runs])
    report = report_of(suite, found)
    own = tuple(one for one in report.judgements if one.claim.local)
    return replace(report, older=(), store_notes=(), label="", place="", judgements=own)


def report_data(report):
    """Return the report as plain data."""
    document = make_document(report)
    answer = json.loads(TypeAdapter(ReportAnswer).dump_json(report_answer(report)))
    for words in ("warnings", "headline"):
        del answer[words]
    answer["judgements"] = [_judged(one) for one in answer["judgements"]]
    return {
        "answer": answer,
        "facts": [fact.text for fact in document.first.facts],
        "strips": [
            (strip.id, strip.verdict, strip.estimate, strip.gauge and asdict(strip.gauge))
            for strip in document.first.strips
        ],
        "tables": {
            one.address: [one.part.headings, *one.part.rows] for one in document.figures if isinstance(one.part, Table)
        },
        "charts": {
            one.address: json.loads(encoded(one.part.chart))
            for one in document.figures
            if not isinstance(one.part, Table) and one.part.chart
        },
    }


def _judged(judgement):
    """Return the verdicts of a claim and the numbers of its evidence."""
    words = ("differences", "notes", "warnings")
    evidence = [{key: value for key, value in one.items() if key not in words} for one in judgement["evidence"]]
    return {
        "id": judgement["claim"]["id"],
        "here": judgement["here"],
        "stated": judgement["as_stated"],
        "evidence": evidence,
    }


def plain(data):
    """Return data as it comes back from a file."""
    return json.loads(json.dumps(data, default=str))


def differences(expected, found, place=""):
    """Yield where two data differ; numbers may differ by what another version of a library rounds."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted({*expected, *found}):
            yield from differences(expected.get(key, "missing"), found.get(key, "missing"), f"{place}/{key}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, pair in enumerate(zip(expected, found, strict=True)):
            yield from differences(*pair, f"{place}/{number}")
    elif isinstance(expected, int | float) and isinstance(found, int | float):
        if abs(expected - found) > 1e-6 * max(abs(expected), abs(found)):
            yield f"{place}: {expected} is now {found}"
    elif expected != found:
        yield f"{place}: {expected!r} is now {found!r}"


if __name__ == "__main__":
    EXPECTED.write_text(json.dumps(plain(report_data(golden_report())), indent=1) + "\n", encoding="utf-8")
