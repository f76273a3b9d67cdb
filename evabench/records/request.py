"""What passes between the parent and a launch server: a greeting, then a request and a reply for each run."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from evabench.records.cell import Cell
from evabench.records.device import RunDevice
from evabench.records.health import Health
from evabench.records.measurement import Measured
from evabench.records.run import Outcome
from evabench.settings.strict import Strict
from evabench.units import Seconds

PROTOCOL = 2  # of greeting, request and reply; another number after any change of them
CHILD_PARTS = (
    "errors.py",
    "units.py",
    "sampling.py",
    "settings",
    "records",
    "datasets",
    "nvml",
    "optimizers",
    "workloads",
    "peers",
    "measurement",
    "worker",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Strict):
    """One run to make."""

    cell: Cell
    seed: int
    warmup_steps: int  # 0 where nothing is timed
    timeout_seconds: Seconds
    device_index: int = 0  # which of the devices of the cell's kind


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildReply(Strict):
    """What the child itself can say; a child that died says nothing."""

    outcome: Outcome
    measured: Measured | None
    threads: int | None
    subnormals_flushed: bool | None = None  # False: they were not asked to be, or this platform cannot
    health: Health | None = None  # None: the optimizer does not say
    preconditioned_share: float | None = None  # of the trained parameters
    setup_seconds: Seconds | None = None  # until workload and optimizer stood, by the child's clock
    device: RunDevice | None = None  # None: a CPU, or the child did not get so far


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported(Strict):
    """A package of evabench on a disk, as a process has imported it."""

    package: str  # its folder
    sources: str  # hash of all that can run in a child


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerReady(Strict):
    """The first line of a launch server: torch is imported, nothing has run."""

    protocol: int
    imported: Imported
    num_threads: int  # of the server process: must be 1, a fork copies only the calling thread
    torch_version: str
    accelerator: str | None = None  # the kind that torch would take, without a context; None: it sees none
    num_accelerators: int | None = None  # None: not asked, because the answer would take a context (CUDA)
    lacks: str | None = None  # what the system does not let it do; None: nothing


def lost(reason: str, stderr_tail: str = "") -> ChildReply:
    """Return the reply of a run that came to nothing because of the harness or the machine, not because of its arm."""
    return ChildReply(outcome=Outcome(kind="lost", reason=reason, stderr_tail=stderr_tail), measured=None, threads=None)


def read_imported(package: Path) -> Imported:
    """Return what a process imports from a folder now."""
    digest = hashlib.sha256()
    for part in CHILD_PARTS:
        place = package / part
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            digest.update(str(path.relative_to(package)).encode())
            digest.update(path.read_bytes())
    return Imported(package=str(package.resolve()), sources=digest.hexdigest()[:16])
