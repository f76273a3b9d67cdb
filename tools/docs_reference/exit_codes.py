"""The exit codes as a page."""

from collections.abc import Iterator

from evabench import errors
from evabench.errors import EvabenchError, ExitCode
from tools.docs_reference.comments import field_comments
from tools.docs_reference.words import head, table

# What the enumeration cannot say in a line: who gives it, and what to do.
_MORE = {
    ExitCode.PASS: "Also where the reader of a pipe left, such as `head`.",
    ExitCode.REGRESSION: "From `gate`, and from a verb with `--fail-on-refuted`. Nothing else is 1.",
    ExitCode.USAGE: "The message names the place, what was found, what is allowed and the way out.",
    ExitCode.INCOMPLETE: "A run failed or got lost, data is missing, or nothing is stored yet. "
    "Repeat the command: what is stored is not made again.",
    ExitCode.INCONCLUSIVE: "Without `--strict` an undecided claim or gate is 0.",
    ExitCode.INVALID_ENVIRONMENT: "Or the two sides of a gate cannot be compared. No number of that gate counts.",
    ExitCode.OUTPUT: "Standard output, results, a report, a trace, data: a disk is full, or a folder is read-only.",
    ExitCode.FAULT: "Please report it with the lines above it.",
}


def exit_codes_page() -> str:
    """Return the page."""
    said = field_comments(ExitCode)
    rows = [(f"{code.value}", code.name.lower().replace("_", " "), said[code.name], _MORE[code]) for code in ExitCode]
    rows.append(("130", "interrupted", "Ctrl-C", "Finished runs are stored; the same command goes on from there."))
    rows.sort(key=lambda row: int(row[0]))
    codes = table(("code", "name", "when", "more"), rows)
    kinds = table(("error", "code", "what went wrong"), _kinds())
    return "\n".join([head("exit-codes.md"), *codes, "\n## Errors of Python code\n", head("errors.md"), *kinds]) + "\n"


def _kinds() -> Iterator[tuple[str, str, str]]:
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, EvabenchError):
            yield f"`{kind.__name__}`", f"{int(kind.exit_code)}", (kind.__doc__ or "").splitlines()[0]
