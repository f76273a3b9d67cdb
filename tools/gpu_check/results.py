"""The results: a line of JSON a check, the last of a check counts; and a report in Markdown."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

LINES, REPORT = "gpu-check.jsonl", "gpu-check.md"

_POINTS = {
    1: "Every figure with a real driver",
    2: "The cost of a look",
    3: "UUIDs",
    4: "Process numbers in a container",
    5: "Counter and integral",
    6: "MPS",
    7: "The clock, and host-bound steps",
    8: "Phases",
    9: "`evabench profile`",
    10: "Work beside the step",
}


def append(folder: Path, line: Mapping[str, Any]) -> None:
    """Add a line, and make sure that it is on the disk."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LINES).open("a") as file:
        file.write(json.dumps(line, default=str) + "\n")
        file.flush()


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the last line of each check; a torn one is left out."""
    found: dict[str, dict[str, Any]] = {}
    if (folder / LINES).exists():
        for text in (folder / LINES).read_text().splitlines():
            try:
                line = json.loads(text)
            except json.JSONDecodeError:
                continue
            found[line["check"]] = line
    return found


def write_report(folder: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Write what is known by now."""
    (folder / REPORT).write_text("\n".join(_report(lines)) + "\n")


def _report(lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield from ("# GPU check", "")
    if any(line["device"] == "cpu" for line in lines):
        yield from ("**A dry run on a CPU: it shows that the checks run, and nothing else.**", "")
    machine = next((line for line in lines if line["check"] == "machine"), None)
    if machine:
        yield from (_text(machine.get("figure") or machine.get("error")), "")
    yield from ("| point of docs/gpu.md | answers |", "|---|---|")
    for point, title in _POINTS.items():
        answers = [f"{line['check']}: **{line['answer']}**" for line in lines if point in line["points"]]
        yield f"| {point}. {title} | {', '.join(answers) or 'not tried'} |"
    yield ""
    for line in lines:
        yield from _check(line)


def _check(line: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"## {line['check']}: {line['answer']}", "", f"{_text(line['question'])} ({line['seconds']} s)", "")
    if line["answer"] == "failed":
        yield from (
            _text(line["error"]),
            "",
            "```",
            *str(line.get("traceback") or line.get("log")).splitlines(),
            "```",
            "",
        )
        return
    yield from (f"{_text(line['figure'])}", "", f"Rule: {_text(line['rule'])}.", "")
    yield from _table(line["rows"])


def _table(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    headings = list(dict.fromkeys(name for row in rows for name in row))
    if not headings:
        return
    yield _row(headings)
    yield _row("---" for _ in headings)
    for row in rows:
        yield _row(_cell(row.get(name)) for name in headings)
    yield ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return _text(f"{value:.3g}" if isinstance(value, float) and 0 < abs(value) < 1e-3 else value)


def _text(value: Any) -> str:
    return " ".join(str(value).split()).replace("|", "\\|").replace("<", "&lt;")
