"""What passes between the parent and a child: a request, and a reply."""

from dataclasses import dataclass

from evabench.records.cell import Cell
from evabench.records.health import Health
from evabench.records.measurement import Measured
from evabench.records.run import Outcome
from evabench.settings.strict import Strict
from evabench.units import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Strict):
    """One run to make."""

    cell: Cell
    seed: int
    warmup_steps: int  # 0 where nothing is timed
    timeout_seconds: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildReply(Strict):
    """What the child itself can say; a child that died says nothing."""

    outcome: Outcome
    measured: Measured | None
    threads: int | None
    subnormals_flushed: bool | None = None  # False: they were not asked to be, or this platform cannot
    health: Health | None = None  # None: the optimizer does not say
    preconditioned_share: float | None = None  # of the trained parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerReady(Strict):
    """The first line of a launch server: torch is imported, nothing has run."""

    num_threads: int  # of the server process: must be 1, a fork copies only the calling thread
    torch_version: str
