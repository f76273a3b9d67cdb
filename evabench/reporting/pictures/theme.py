"""The colours of a page and of its pictures, light and dark."""

from dataclasses import dataclass
from typing import Any

from evabench.records.phases import PhaseName
from evabench.settings.choices import Family


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """The colours of a page."""

    name: str
    ink: str
    muted: str
    grid: str
    families: dict[Family, str]
    parts: tuple[str, ...]  # of a stacked bar of memory, from the bottom
    phases: dict[PhaseName, str]

    def named(self, name: str) -> str:
        """Return the colour of a part ("part-0"), of a phase ("phase-forward") or of a family ("family-eva")."""
        return self.colours[name]

    @property
    def colours(self) -> dict[str, str]:
        """Return every colour of a part, a phase or a family, by the name that charts and the page have for it."""
        return {
            **{f"part-{place}": colour for place, colour in enumerate(self.parts)},
            **{f"phase-{name}": colour for name, colour in self.phases.items()},
            **{f"family-{name}": colour for name, colour in self.families.items()},
        }


# Families: Okabe and Ito's colours, which people of any colour vision can tell apart; first-order methods are neutral.
LIGHT = Theme(
    name="light",
    ink="#1c2430",
    muted="#5b6675",
    grid="#d9dee5",
    families={
        "first-order": "#5b6675",
        "eva": "#d55e00",
        "kfac": "#0072b2",
        "shampoo": "#009e73",
        "mfac": "#cc79a7",
        "plugin": "#8f4f9f",
    },
    parts=("#44546a", "#7f93ad", "#c3cedb", "#e3a78a", "#d55e00", "#e8d9b5", "#efc77f"),
    phases={
        "forward": "#44546a",
        "backward": "#7f93ad",
        "capture": "#efc77f",
        "communicate": "#8f4f9f",
        "refresh": "#d55e00",
        "precondition": "#e3a78a",
        "update": "#009e73",
        "fused": "#66b89d",
        "zero_grad": "#cc79a7",
        "other": "#c3cedb",
    },
)
DARK = Theme(
    name="dark",
    ink="#e6eaf0",
    muted="#a3afbf",
    grid="#39424f",
    families={
        "first-order": "#b4bfcc",
        "eva": "#ff8c42",
        "kfac": "#56b4e9",
        "shampoo": "#3fcf9f",
        "mfac": "#f0a6cb",
        "plugin": "#d09be0",
    },
    parts=("#8fa3bd", "#64788f", "#46556a", "#a8694a", "#ff8c42", "#6b6248", "#b98646"),
    phases={
        "forward": "#8fa3bd",
        "backward": "#64788f",
        "capture": "#b98646",
        "communicate": "#d09be0",
        "refresh": "#ff8c42",
        "precondition": "#a8694a",
        "update": "#3fcf9f",
        "fused": "#2f8f70",
        "zero_grad": "#f0a6cb",
        "other": "#46556a",
    },
)
THEMES = (LIGHT, DARK)
FONT = "DejaVu Sans"  # comes with Matplotlib, so that pictures are the same bytes on every machine


def matplotlib_settings(theme: Theme) -> dict[Any, Any]:
    """Return Matplotlib's settings: quiet axes, labels in the ink of the page, no mathematics in untrusted labels."""
    return {
        "text.parse_math": False,
        "svg.hashsalt": "evabench",
        "font.family": FONT,
        "font.size": 9.5,
        "text.color": theme.ink,
        "axes.labelcolor": theme.muted,
        "axes.edgecolor": theme.grid,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "grid.color": theme.grid,
        "grid.linewidth": 0.7,
        "xtick.color": theme.muted,
        "ytick.color": theme.muted,
        "xtick.labelcolor": theme.ink,
        "ytick.labelcolor": theme.ink,
    }
