"""A verb in this process: what a user would see, without the seconds that a new interpreter takes."""

import contextlib
import io
import sys
from dataclasses import dataclass
from unittest import mock

from evabench.cli.main import main


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def evabench(folder, *words):
    """Return what a verb that runs nothing prints in a folder, and its exit code."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        contextlib.chdir(folder),
        mock.patch.object(sys, "argv", ["evabench", *words]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Done(code, out.getvalue(), err.getvalue())
