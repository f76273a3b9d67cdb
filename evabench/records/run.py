"""A run: one process, one cell, one seed."""

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Literal

from evabench.records.cell import Cell
from evabench.records.code import Code
from evabench.records.conditions import Conditions
from evabench.records.environment import Environment
from evabench.records.health import Health
from evabench.records.host import Host
from evabench.records.measurement import Measured
from evabench.records.shared import shared
from evabench.settings.strict import Strict
from evabench.units import Seconds

# "lost": the harness or the machine failed, not the arm. Such a run is told and made again, and never stored.
OutcomeKind = Literal["completed", "diverged", "timeout", "out_of_memory", "crashed", "killed", "lost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit(Strict):
    """The place of a timing run in its series."""

    sweep: int  # 0 is the pilot
    position: int  # in the order of this sweep
    warmup_steps: int  # to discard: the same for every arm of the series
    repeated: bool = False  # the second try at a sweep, at the end of the series: its first was disturbed


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Strict):
    """How a run ended. A run that did not complete is a run with an outcome, never a gap."""

    kind: OutcomeKind
    reason: str | None  # one sentence; None: completed
    stderr_tail: str  # the last lines that the child wrote

    @property
    def completed(self) -> bool:
        """Return whether the run got to its end."""
        return self.kind == "completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Strict):
    """One process, one cell, one seed: raw observations, never a summary."""

    key: str
    cell: Annotated[Cell, shared(Cell)]
    seed: int
    visit: Visit | None  # None where nothing is timed
    host: Annotated[Host, shared(Host)]
    environment: Annotated[Environment, shared(Environment)]
    code: Annotated[Code, shared(Code)]
    conditions: Conditions
    outcome: Outcome
    measured: Measured | None  # None: the outcome says why
    started: str  # UTC, ISO 8601
    health: Health | None = None  # None: the optimizer does not say, or the run did not get so far
    subnormals_flushed: bool | None = None  # None: the child did not get so far, or the run is from before it was read
    preconditioned_share: float | None = None  # of the trained parameters; None as above
    setup_seconds: Seconds | None = None  # until workload and optimizer stood, by the child's clock; None as above


def run_key(
    cell: Cell,
    seed: int,
    sweep: int | None,
    *,
    host: Host,
    environment: Environment,
    code: Code,
    repeated: bool = False,
) -> str:
    """Return the identity of a run: 16 hexadecimal digits of what it does, where, with which packages and which code.

    The commit is not part of it: a commit that leaves the measured sources alone does not invalidate a run.
    """
    parts = [cell.identity, seed, sweep, host.id, environment.identity, code.identity]
    if repeated:
        parts.append("repeated")
    canonical = json.dumps(parts)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
