"""Where the words of a verb go: the answer to standard output, notes to standard error, or one JSON object instead."""

import json
import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from evabench.errors import printable

FORMAT = 1  # of the JSON objects: a new number where a field goes or changes its meaning
_UNFOLDED = 10_000  # columns where no terminal folds: a line is a line

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object instead of words (docs/json.md); notes go to stderr.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Print the answer alone: no notes, no progress.")]


class _Spelled(Console):
    """A console on which no text moves the cursor or is turned around: what nobody can see is spelled out."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield what is shown, with the control characters in it spelled out."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=printable(segment.text))


class Output:
    """The two streams of a verb."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json = as_json
        self.told: list[str] = []  # the answer, line by line, for verbs that have no better data
        self.noted: list[str] = []
        self.answer = _console(stderr=False, silent=as_json)
        self.notes = _console(stderr=True, silent=quiet)

    def tell(self, text: str | None) -> None:
        """Print a part of the answer as it is, if there is any: no markup, no colours, no line ends of ours."""
        if text:
            self.told.append(text)
        print_plainly(self.answer, text)

    def note(self, text: str | None) -> None:
        """Print what is no part of the answer, in the same way."""
        if text:
            self.noted.append(text)
        print_plainly(self.notes, text)

    @contextmanager
    def noting(self, category: type[Warning]) -> Iterator[None]:
        """Note each warning of a category, once, where a library would only have printed its place in the code."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", category)
            yield
        for text in dict.fromkeys(str(one.message) for one in caught if issubclass(one.category, category)):
            self.note(text)

    def give(self, verb: str, answer: Any) -> None:
        """Print the answer as JSON, where that was asked for; `answer` is one of `reporting/answers.py`, or a dict."""
        if self.as_json:
            sys.stdout.write(to_json(verb, answer) + "\n")


def to_json(verb: str, answer: Any) -> str:
    """Return the JSON object of a verb: what it says, beside who says it. What is not finite is null."""
    from pydantic import TypeAdapter

    import evabench

    told = json.loads(TypeAdapter(type(answer)).dump_json(answer))
    whole = {"evabench": evabench.__version__, "format": FORMAT, "verb": verb, "answer": told}
    text = json.dumps(whole, ensure_ascii=False)
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)  # a terminal may show it


def print_plainly(console: Console, text: str | None) -> None:
    """Print text as it is, if there is any: no markup, no colours, no line ends of ours."""
    if text:
        console.print(text, markup=False, highlight=False, soft_wrap=True)


def _console(*, stderr: bool, silent: bool) -> Console:
    console = _Spelled(stderr=stderr, quiet=silent, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _UNFOLDED
    return console
