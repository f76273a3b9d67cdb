"""What tells the arms of a picture apart.

A colour stands for a family of optimizers, a line style for the arm within its family, so that a picture can be read
without colours and the same arm looks the same in all of them. Labels are untrusted text: no mathematics in them.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from evabench.settings.choices import Family
from evabench.settings.optimizers import OptimizerSettings

Styles = Mapping[str, int]
STYLES = ("-", "--", ":", "-.")
LINES: Mapping[str, Any] = {"frameon": False, "handlelength": 2.4}  # of a legend
MARKERS = ("o", "s", "^", "D")


def arm_styles(optimizers: Mapping[str, OptimizerSettings]) -> Styles:
    """Return each arm's number within its family, which is its line style and marker in every picture."""
    seen: Counter[Family] = Counter()
    styles = {}
    for name, optimizer in optimizers.items():
        styles[name] = seen[optimizer.family] % len(STYLES)
        seen[optimizer.family] += 1
    return styles
