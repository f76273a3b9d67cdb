"""What tells the arms of a picture apart.

A colour stands for a family of optimizers, dash and marker for the arm within its family, so that a picture can be read
without colours and the same arm looks the same in all of them. No two arms of a family have dash and marker in common
until there are 32 of them. Labels are untrusted text: no mathematics in them.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from evabench.reporting.charts.chart import Look
from evabench.settings.choices import Family
from evabench.settings.optimizers import OptimizerSettings

Looks = dict[str, Look]
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.2, 1.6)), (0, (6, 1.8, 1.2, 1.8)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def arm_looks(optimizers: Mapping[str, OptimizerSettings]) -> Looks:
    """Return each arm's look in every picture: its family, and its number within it."""
    seen: Counter[Family] = Counter()
    looks = {}
    for name, optimizer in optimizers.items():
        looks[name] = Look(optimizer.family, seen[optimizer.family])
        seen[optimizer.family] += 1
    return looks


def dash_of(look: Look) -> Any:
    """Return the line style: the first arms of a family have different ones."""
    return DASHES[look.number % len(DASHES)]


def marker_of(look: Look) -> str:
    """Return the marker: arms that have a dash in common have different ones."""
    return MARKERS[(look.number + look.number // len(DASHES)) % len(MARKERS)]
