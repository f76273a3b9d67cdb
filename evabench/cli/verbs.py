"""The verbs, by name: where each one is found, and its line of help. A verb is imported when it is called."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup


@dataclass(frozen=True, slots=True)
class Verb:
    """A subcommand that is not imported yet."""

    module: str  # in evabench.cli
    function: str
    help: str

    def load(self) -> Any:
        """Return the function, which has the options in its signature."""
        return getattr(import_module(f"evabench.cli.{self.module}"), self.function)


VERBS = {
    "run": Verb("run", "run_suite", "Run a suite. What is stored already is not run again."),
    "list": Verb("list", "list_suites", "List the suites that ship with evabench; `evabench run NAME` runs one."),
    "show": Verb("show", "show_results", "Show the table of a suite from the runs of this host and this code."),
    "data": Verb("data", "show_data", "Show which data sets are here. A run never downloads anything by itself."),
    "doctor": Verb(
        "doctor", "examine", "Say what this machine is and does, how noisy its step times are, and what to change."
    ),
    "report": Verb(
        "report",
        "write_report",
        "Write reports/SUITE/index.html and report.md from the runs of this host and this code.",
    ),
    "claims": Verb(
        "claims",
        "judge_stored",
        "Judge claims by stored runs: verdict, effect, interval, what differs, and what would decide the rest.",
    ),
    "compare": Verb("compare", "compare_runs", "Compare two sets of stored runs: two places, hosts, commits or arms."),
    "export": Verb(
        "export",
        "export_runs",
        "Write stored runs as CSV, Parquet, JSON, LaTeX or TensorBoard files.",
    ),
    "gate": Verb("gate", "gate_change", "Say whether a change makes an optimizer slower or hungrier."),
    "trend": Verb(
        "trend",
        "show_trend",
        "Show where step times of this host have shifted over the history of the code, and draw it.",
    ),
    "profile": Verb(
        "profile",
        "profile_arm",
        "Show the most expensive operators of a step by phase, and write a trace for Perfetto (ui.perfetto.dev).",
    ),
}


class VerbGroup(TyperGroup):
    """Finds a verb by its name as any group does, and imports it only when it is called."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb. Typer takes these two for a wish of the user's and exits with 1, which is a regression."""
        try:
            return super().invoke(ctx)
        except (EOFError, OSError) as error:
            raise RuntimeError(f"nobody has caught {type(error).__name__}") from error

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the name, the command that it stands for, and its arguments."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, _command(name) if name in VERBS else command, rest


def _command(name: str) -> Any:
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")
    alone.command(name, help=VERBS[name].help)(VERBS[name].load())
    return typer.main.get_command(alone)
