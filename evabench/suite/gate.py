"""[gate]: which cells of a suite a change is timed on, how much it may cost, and which cells are known to be unfit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated

from annotated_types import Ge, Gt, Le

from evabench.settings.bounds import FORBID, check_bounds

MAX_GATED = 4
_MIB = 1 << 20

Share = Annotated[float, Gt(0), Le(1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellMargins:
    """What one cell may become slower by, as a share. None: the rules' own (3 % of a step, 10 % of own time)."""

    __pydantic_config__ = FORBID
    step: Share | None = None
    own_time: Share | None = None

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """A cell whose regressions are shown and fail nothing, for a reason and until a day, both of which are printed."""

    __pydantic_config__ = FORBID
    reason: str
    until: str  # the last day, as 2026-12-31

    def __post_init__(self) -> None:
        """Refuse a quarantine without a reason, or without an end."""
        if not self.reason.strip():
            raise ValueError("reason must say why, got none")
        try:
            date.fromisoformat(self.until)
        except ValueError:
            raise ValueError(f'until must be a day such as "2026-12-31", got "{self.until}"') from None

    def holds_on(self, day: date) -> bool:
        """Return whether it has not expired."""
        return day <= date.fromisoformat(self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateTable:
    """[gate]: a cell is named "WORKLOAD, ARM". All cells of the suite are counted; those of `gated` are timed too."""

    __pydantic_config__ = FORBID
    gated: tuple[str, ...]
    not_counted: tuple[str, ...] = ()  # cells that take too long to be counted at each change
    margins: Mapping[str, CellMargins] = field(default_factory=dict)
    quarantine: Mapping[str, Quarantine] = field(default_factory=dict)
    ignored_bytes: Annotated[int, Ge(0)] = _MIB  # a rise up to this, or up to 1 %, fails nothing
    strict: bool = False  # inconclusive, and what no cell covers, is exit 4
    exit_zero: bool = False  # everything is told, and nothing fails

    def __post_init__(self) -> None:
        """Refuse more timed cells than a pull request can wait for, none, and one twice."""
        check_bounds(self)
        if not 1 <= len(self.gated) <= MAX_GATED or len(set(self.gated)) < len(self.gated):
            raise ValueError(f"gated must name 1 to {MAX_GATED} cells, none twice, got {list(self.gated)}")

    def unknown(self, known: Iterable[str]) -> list[str]:
        """Return what is wrong with the names of cells, one sentence each."""
        cells = set(known)
        named = {
            "gated": self.gated,
            "not_counted": self.not_counted,
            "margins": tuple(self.margins),
            "quarantine": tuple(self.quarantine),
        }
        return [
            f'{key}: "{name}" is no cell: a cell is "WORKLOAD, ARM", of a workload and an arm of the suite'
            for key, names in named.items()
            for name in names
            if name not in cells
        ] + [
            f'margins: "{name}" is not gated: a margin is of a cell that is timed'
            for name in self.margins
            if name in cells and name not in self.gated
        ]


def cell_name(workload: str, arm: str) -> str:
    """Return how a cell is named in [gate]."""
    return f"{workload}, {arm}"
