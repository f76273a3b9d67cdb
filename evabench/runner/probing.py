"""One probe child for each workload and arm that no stored run speaks for, within a bound of time."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from time import monotonic

from evabench.launch.server import LaunchServer
from evabench.records.cell import Cell
from evabench.records.measurement import ProbeSettings
from evabench.records.probe import Probe
from evabench.records.request import Request
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.workloads import WorkloadSettings
from evabench.units import Bytes, Seconds

REAL_STEPS = 3
_LONGEST_SECONDS = 20.0  # of one child
_BYTES, _STEPS = ProbeSettings(), ProbeSettings(real_steps=REAL_STEPS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What was found about one workload with one optimizer."""

    workload: WorkloadSettings
    optimizer: OptimizerSettings
    counted: Probe | None  # on fake tensors; None: the child did not come to an end
    timed: Probe | None  # None: not begun, because it would not fit or the time was up, or not ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Probing:
    """All probes of one dry run."""

    found: tuple[Probed, ...] = ()
    server_seconds: Seconds | None = None  # to start a launch server; None: none was started
    num_left_out: int = 0  # pairs for which no time was left
    seconds: Seconds = 0.0  # of all, the start of the server included

    @property
    def seconds_for_all(self) -> Seconds | None:
        """Return what it would take to leave nothing out; None where nothing was probed."""
        return self.seconds * (1 + self.num_left_out / len(self.found)) if self.found else None


def probe_cells(
    cells: Iterable[Cell], *, max_seconds: Seconds, free_bytes: Bytes, done: Callable[[], None] = lambda: None
) -> Probing:
    """Probe each workload and optimizer once; the bound holds but for the end of a child that was just begun.

    The start of a launch server is timed too, also where there is nothing to probe. Real steps are not made where the
    bytes on fake tensors, beside those of a bare process, would not fit.
    """
    pairs = list({(repr(cell.workload), repr(cell.optimizer)): cell for cell in cells}.values())
    if max_seconds == 0:
        return Probing(num_left_out=len(pairs))
    started, found = monotonic(), []
    with LaunchServer(layout_seed="probe") as server:
        server_seconds = monotonic() - started

        def ask(cell: Cell, settings: ProbeSettings) -> Probe | None:
            left = started + max_seconds - monotonic()
            if left <= 0:
                return None
            request = Request(
                cell=replace(cell, measurement=settings),
                seed=0,
                warmup_steps=0,
                timeout_seconds=min(left, _LONGEST_SECONDS),
            )
            measured = server.perform(request).measured
            return measured if isinstance(measured, Probe) else None

        for cell in pairs:
            if monotonic() - started >= max_seconds:
                break
            counted = ask(cell, _BYTES)
            fits = counted is None or fake_process_bytes(counted) < free_bytes
            timed = ask(cell, _STEPS) if fits else None
            found.append(Probed(workload=cell.workload, optimizer=cell.optimizer, counted=counted, timed=timed))
            done()
    return Probing(
        found=tuple(found),
        server_seconds=server_seconds,
        num_left_out=len(pairs) - len(found),
        seconds=monotonic() - started,
    )


def fake_process_bytes(counted: Probe) -> Bytes:
    """Return the bytes of a process with such a step in it: live tensors, interpreter and torch; 0 where unknown."""
    return (counted.peak_bytes or 0) + (counted.rss_high_water_bytes or 0)
