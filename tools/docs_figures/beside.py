"""docs/optimizer-cost.md: cost beside the authors' code, a line per process of its benchmark."""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache

from evabench.stats.trimmed import trimmed_mean
from evabench.units import format_ratio
from tools.docs_figures.page import Computed, ComputedTable, Row
from tools.docs_figures.stored import REFERENCE

_CONDITIONS = {"quiet": "one-order.jsonl", "loaded": "drawn-orders.jsonl"}
_ROWS = {
    "autoencoder, batch 128": ("Eva", "authors"),
    "autoencoder, batch 1000": ("Eva", "authors"),
    "ResNet-32, batch 128": ("Eva", "Eva, 16 samples", "authors", "authors, 16 samples"),
}
_CPU = 1  # of wall and CPU seconds

Process = dict[str, float]  # CPU seconds of a step, by arm


def computed() -> Iterator[Computed]:
    """Yield the table."""
    yield ComputedTable(
        page="optimizer-cost.md",
        heading=(
            "net",
            "arm",
            "over SGD, quiet",
            "over SGD, loaded",
            "over SGD fused, quiet",
            "over SGD fused, loaded",
            "extra over the authors', quiet",
            "loaded",
        ),
        rows=[
            (
                net if arm == arms[0] else "",
                arm,
                *_over(net, arm, "SGD"),
                *_over(net, arm, "SGD, fused"),
                *_extra(net, arm),
            )
            for net, arms in _ROWS.items()
            for arm in arms
        ],
    )


@cache
def _processes(condition: str, net: str) -> tuple[Process, ...]:
    lines = (REFERENCE / "beside-the-authors" / _CONDITIONS[condition]).read_text(encoding="utf-8").splitlines()
    measured = [one["seconds"] for one in map(json.loads, lines) if one["net"] == net]
    return tuple({arm: clocks[_CPU] for arm, clocks in one.items()} for one in measured)


def _over(net: str, arm: str, base: str) -> Row:
    def ratio(one: Process) -> float:
        return math.log(one[arm] / one[base])

    return tuple(format_ratio(*map(math.exp, _ends(net, condition, ratio))) for condition in _CONDITIONS)


def _extra(net: str, arm: str) -> Row:
    """Return what the arm takes beyond SGD over what the authors' code takes; nothing of the authors' own."""
    if not arm.startswith("Eva"):
        return "", ""
    theirs = arm.replace("Eva", "authors")

    def share(one: Process) -> float:
        return (one[arm] - one["SGD"]) / (one[theirs] - one["SGD"])

    ends = (_ends(net, condition, share) for condition in _CONDITIONS)
    return tuple(f"{estimate:.2f} [{low:.2f}, {high:.2f}]" for estimate, low, high in ends)


def _ends(net: str, condition: str, of: Callable[[Process], float]) -> Sequence[float]:
    found = trimmed_mean([of(one) for one in _processes(condition, net)])
    interval = found.interval()
    return found.estimate, interval.low, interval.high
