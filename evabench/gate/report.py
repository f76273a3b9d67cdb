"""What a gate has found: data, from which every output is rendered."""

from dataclasses import dataclass
from typing import Literal

from evabench.gate.clocks import Clocks
from evabench.gate.control import Control
from evabench.gate.counted import Counted
from evabench.gate.timed import Timed
from evabench.gate.why import Why
from evabench.settings.strict import Strict
from evabench.units import Seconds

Harness = Literal["own", "this"]  # each side's own, or that of the evabench that runs the gate


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined(Strict):
    """A cell that fails nothing for now."""

    cell: str
    reason: str
    until: str
    expired: bool  # on the day of the gate: then it fails again


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncovered(Strict):
    """Lines of the change that no gated cell executes, of one file."""

    file: str
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage(Strict):
    """What of the change was executed by the gated cells."""

    num_changed: int  # statements, of files that a measurement may run
    uncovered: tuple[Uncovered, ...] = ()
    not_timed: tuple[Uncovered, ...] = ()  # executed by cells that are counted, and by none that is timed
    reason: str | None = None  # why nothing is known


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport(Strict):
    """One gate, with all that was measured for it.

    1   2026-11-26   the first
    """

    schema: Literal[1] = 1
    suite: str
    base: str | None  # for people; None: the counted layer alone, against the committed baseline
    head: str
    base_commit: str | None = None
    head_commit: str | None = None
    harness: Harness = "own"
    host: str  # the id of the machine
    processor: str
    started: str  # UTC, ISO 8601
    seconds: Seconds
    num_tests: int = 0  # by which every error of the timed layers is divided
    untouched: str | None = None  # why nothing had to be measured
    incomparable: str | None = None  # why no number compares the sides
    stopped: str | None = None  # why measuring ended before its end
    other_dependencies: tuple[str, ...] = ()  # files by which the sides need other packages, and both ran with the same
    environments: str | None = None  # what was made for each side, in a sentence
    counted: Counted | None = None
    timed: tuple[Timed, ...] = ()
    controls: tuple[Control, ...] = ()
    clocks: Clocks | None = None  # of the GPU; None: nothing was timed on one
    why: tuple[Why, ...] = ()  # of the cells that became slower
    coverage: Coverage | None = None
    quarantined: tuple[Quarantined, ...] = ()
    strict: bool = False
    exit_zero: bool = False
