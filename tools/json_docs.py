"""docs/json.md, from the types of what `--json` prints: `python -m tools.json_docs` writes it, and a test compares."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from evabench.cli import answers
from evabench.export.compare import Comparison

PAGE = Path(__file__).parents[1] / "docs" / "json.md"
ANSWERS: dict[str, type] = {
    "claims": answers.ClaimsAnswer,
    "compare": Comparison,
    "data": answers.DataAnswer,
    "doctor": answers.DoctorAnswer,
    "export": answers.ExportAnswer,
    "gate": answers.GateAnswer,
    "list": answers.ListAnswer,
    "profile": answers.ProfileAnswer,
    "report": answers.WriteAnswer,
    "run": answers.RunAnswer,
    "show": answers.ShowAnswer,
    "trend": answers.TrendAnswer,
}
HEAD = """# Answers for programs

Every verb takes `--json`: then it prints one JSON object on standard output and nothing else there. Notes, warnings of
the machine and progress go to standard error, and `--quiet` leaves them out. Exit codes are the same. Where nothing
is stored the object says so (`notes`), with exit code 3. An error of yours is a message on standard error and exit
code 2, without an object.

```sh
evabench list --json
evabench show quickstart --json --quiet
evabench claims quickstart --json --quiet > verdicts.json
```

The object is `{"evabench": VERSION, "format": 1, "verb": VERB, "answer": {...}}`. `format` goes up where a field goes
or changes its meaning; a new field changes nothing. `null` is what was not measured, or is not finite. This page is
made from the code: `python -m tools.json_docs`.

| verb | `answer` is |
|---|---|
"""
_FIELD = re.compile(r"^    (\w+): (.+?)(?: = [^#]*?)?(?:  # (.*))?$")


def page() -> str:
    """Return the page."""
    rows = "".join(f"| `{verb}` | [{kind.__name__}](#{kind.__name__.lower()}) |\n" for verb, kind in ANSWERS.items())
    return HEAD + rows + "".join(map(_section, _reached(ANSWERS.values())))


def _reached(kinds: Any) -> list[type]:
    """Return the types and all that lie in them, each once, in the order in which a reader meets them."""
    found: dict[type, None] = {}
    left = list(kinds)
    while left:
        kind = left.pop(0)
        if kind not in found:
            found[kind] = None
            left[:0] = [one for hint in get_type_hints(kind).values() for one in _dataclasses(hint)]
    return list(found)


def _dataclasses(hint: Any) -> Iterator[type]:
    if isinstance(hint, type) and is_dataclass(hint):
        yield hint
    for one in get_args(hint):
        yield from _dataclasses(one)


def _section(kind: type) -> str:
    first = (inspect.getdoc(kind) or "").partition("\n")[0]
    comments = dict(_comments(kind))
    hints = {field.name: comments[field.name] for field in fields(kind)}
    rows = "".join(f"| `{name}` | `{_plain(hint)}` | {comment} |\n" for name, (hint, comment) in hints.items())
    return f"\n## {kind.__name__}\n\n{first}\n\n| field | type | what it is |\n|---|---|---|\n{rows}"


def _comments(kind: type) -> Iterator[tuple[str, tuple[str, str]]]:
    for line in inspect.getsource(kind).splitlines():
        if found := _FIELD.match(line):
            name, hint, comment = found.groups()
            yield name, (hint, (comment or "").replace("|", "\\|"))


def _plain(hint: str) -> str:
    return hint.replace('"', "").replace("|", "or").replace("  ", " ")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
