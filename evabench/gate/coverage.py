"""What a pass did not cover: lines of the change that the runs of no gated cell execute.

The gated cells are run once more under coverage.py, each in a context of its own, in a process of its own: what is
traced is slow. Lines that they leave over are looked for in the other cells of the suite, which are counted and not
timed. A statement counts as executed where one of its lines was; comments, blank lines and docstrings are none.
"""

import ast
import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from evabench.gate.report import Coverage, Uncovered
from evabench.gate.sides import PACKAGE, SideCode
from evabench.records.cell import Cell
from evabench.records.codec import encode
from evabench.records.measurement import (
    CountsSettings,
    MeasurementSettings,
    MemorySettings,
    PhasesSettings,
    StepTimeSettings,
)
from evabench.records.request import CHILD_PARTS, Request
from evabench.units import Seconds

Lines = Mapping[str, frozenset[int]]  # by file, as seen from the checkout

_COUNTED: tuple[MeasurementSettings, ...] = (CountsSettings(), MemorySettings())
_TIMED: tuple[MeasurementSettings, ...] = (*_COUNTED, PhasesSettings(min_steps=1, min_cycles=1), StepTimeSettings())


def cover(
    changed: Lines,
    timed: Mapping[str, Cell],
    counted: Mapping[str, Cell],
    code: SideCode,
    scratch: Path,
    seconds: Seconds,
) -> Coverage:
    """Return which of the head's changed lines no run executes. `timed` and `counted` are the head's cells, by name."""
    statements = changed_statements(changed, code)
    num_lines = sum(len(spans) for spans in statements.values())
    if not statements:
        return Coverage(num_changed=0)
    found = _trace({name: (cell, _TIMED) for name, cell in timed.items()}, code, scratch, seconds)
    if isinstance(found, str):
        return Coverage(num_changed=num_lines, reason=found)
    left = without(statements, found)
    others = {name: (cell, _COUNTED) for name, cell in counted.items() if name not in timed}
    if not left or not others:
        return Coverage(num_changed=num_lines, uncovered=_uncovered(left))
    more = _trace(others, code, scratch, seconds)
    if isinstance(more, str):
        return Coverage(num_changed=num_lines, uncovered=_uncovered(left))
    nowhere = without(left, more)
    not_timed = {file: [span for span in spans if span not in nowhere.get(file, ())] for file, spans in left.items()}
    return Coverage(num_changed=num_lines, uncovered=_uncovered(nowhere), not_timed=_uncovered(not_timed))


def changed_statements(changed: Lines, code: SideCode) -> dict[str, list[range]]:
    """Return the lines of each statement that the change has touched, in files that a measurement may run."""
    found = {}
    for file, lines in changed.items():
        if not _may_run(file, code):
            continue
        spans = [span for span in statements_of(_text(code.folder / file)) if lines.intersection(span)]
        if spans:
            found[file] = spans
    return found


def without(statements: Mapping[str, list[range]], executed: Iterable[Lines]) -> dict[str, list[range]]:
    """Return the statements of which no line was executed."""
    ran: dict[str, set[int]] = {}
    for lines in executed:
        for file, each in lines.items():
            ran.setdefault(file, set()).update(each)
    left = {
        file: [span for span in spans if not ran.get(file, set()).intersection(span)]
        for file, spans in statements.items()
    }
    return {file: spans for file, spans in left.items() if spans}


def statements_of(text: str) -> list[range]:
    """Return the lines of each statement; of one with a body those of its head. None of a text that is no Python."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return []
    return sorted(_spans(tree), key=lambda span: span.start)


def _spans(tree: ast.AST) -> Iterator[range]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt) or _is_docstring(node):
            continue
        body = getattr(node, "body", None)
        last = (node.end_lineno or node.lineno) if not body else max(node.lineno, body[0].lineno - 1)
        yield range(node.lineno, last + 1)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _may_run(file: str, code: SideCode) -> bool:
    """Return whether a file can be part of a measurement: no test, and of evabench itself nothing of the parent's."""
    path = PurePosixPath(file)
    if path.suffix != ".py" or not (code.folder / file).is_file():
        return False
    if code.package.is_relative_to(code.folder):
        package, *inner = path.parts
        return package == PACKAGE.name and bool(inner) and inner[0] in CHILD_PARTS
    return not (path.name.startswith("test_") or path.name == "conftest.py" or {"tests", "docs"} & set(path.parts))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _uncovered(statements: Mapping[str, list[range]]) -> tuple[Uncovered, ...]:
    return tuple(
        Uncovered(file=file, lines=tuple(sorted({line for span in spans for line in span})))
        for file, spans in sorted(statements.items())
        if spans
    )


def _request(cell: Cell, kind: MeasurementSettings, seconds: Seconds) -> Request:
    return Request(cell=replace(cell, measurement=kind), seed=0, warmup_steps=0, timeout_seconds=seconds)


def _trace(
    cells: Mapping[str, tuple[Cell, Iterable[MeasurementSettings]]], code: SideCode, scratch: Path, seconds: Seconds
) -> list[Lines] | str:
    """Return what the runs of each cell have executed, or why nobody knows."""
    requests = [
        [name, encode(Request, _request(cell, kind, seconds))]
        for name, (cell, kinds) in cells.items()
        for kind in kinds
    ]
    asked, answer = scratch / "covered-asked.json", scratch / "covered-answer.json"
    answer.unlink(missing_ok=True)
    asked.write_text(json.dumps({"folder": str(code.folder), "requests": requests}), encoding="utf-8")
    ahead = os.pathsep.join(map(str, code.ahead))
    environment = {**os.environ, "COVERAGE_CORE": "ctrace"} | ({"PYTHONPATH": ahead} if ahead else {})
    command = [code.python, "-P", str(PACKAGE / "worker" / "covered.py"), str(code.package), str(asked), str(answer)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=seconds * len(requests))
    except subprocess.TimeoutExpired:
        return f"its run took longer than {seconds * len(requests):g} s"
    if "No module named 'coverage'" in done.stderr:
        return "coverage.py is not installed: pip install 'evabench[gate]'"
    if not answer.exists():
        last = "".join(done.stderr.strip().splitlines()[-1:])
        return f"its run ended with exit code {done.returncode}: {last}"
    found = json.loads(answer.read_text(encoding="utf-8"))
    return [{file: frozenset(lines) for file, lines in files.items()} for files in found.values()]
