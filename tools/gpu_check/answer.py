"""What a check says, and what a check is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tools.gpu_check.bench import Bench

# "differs": it works, but not as documented, or not everywhere. "failed" is the runner's word, not a check's.
Verdict = Literal["yes", "no", "differs", "not tried"]
Row = Mapping[str, Any]  # heading -> cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One line of the results; everything in it can be written as JSON."""

    answer: Verdict
    figure: str  # the figures that decided, in a sentence
    rule: str  # when the answer is yes
    rows: tuple[Row, ...] = ()  # a table for the report
    values: Mapping[str, Any] = field(default_factory=dict)  # raw observations


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A question, and who answers it in a process of its own."""

    part: str
    name: str
    points: tuple[int, ...]  # of the list in docs/gpu.md; empty: none of them
    question: str
    run: Callable[[Bench], Answer]
    seconds: float  # after so many it is killed


def yes_if(holds: bool, otherwise: Verdict = "differs") -> Verdict:
    """Return yes where the rule holds."""
    return "yes" if holds else otherwise
