"""One probe child for each workload and arm that no stored run speaks for, within a bound of time."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from time import monotonic

from evabench.launch.launcher import Launch, Launcher
from evabench.launch.server import LaunchServer
from evabench.records.cell import Cell
from evabench.records.measurement import ProbeSettings
from evabench.records.probe import Probe
from evabench.records.request import Request
from evabench.runner.session import Session, perform
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
    failure: str | None = None  # why no steps were timed; None: they were, or they would not fit


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
    cells: Iterable[Cell],
    *,
    max_seconds: Seconds,
    free_bytes: Bytes,
    done: Callable[[], None] = lambda: None,
    launch: Launch = LaunchServer,
    device_index: int = 0,
) -> Probing:
    """Probe each workload and optimizer once; the bound holds but for the end of a child that was just begun.

    The start of a launch server is timed too, also where there is nothing to probe. Real steps are not made where the
    bytes on fake tensors, beside those of a bare process, would not fit.
    """
    pairs = tuple({(repr(cell.workload), repr(cell.optimizer)): cell for cell in cells}.values())
    if max_seconds == 0:
        return Probing(num_left_out=len(pairs))
    prober = _Prober(max_seconds=max_seconds, free_bytes=free_bytes, done=done, device_index=device_index)
    # The first run asks for nothing: it is there when the server is.
    probed = perform(Session(layout="probe", runs=(None, *pairs)), launch, prober.probe)
    found = tuple(one for one in probed if one is not None)
    return Probing(
        found=found,
        server_seconds=prober.server_seconds,
        num_left_out=len(pairs) - len(found),
        seconds=monotonic() - prober.started,
    )


@dataclass(slots=True, kw_only=True)
class _Prober:
    max_seconds: Seconds
    free_bytes: Bytes
    done: Callable[[], None]
    device_index: int
    started: Seconds = field(default_factory=monotonic)
    server_seconds: Seconds | None = None

    def probe(self, server: Launcher, cell: Cell | None) -> Probed | None:
        """Return what was found about one pair; None where no time was left for it."""
        if cell is None:
            self.server_seconds = monotonic() - self.started
        if cell is None or self._left <= 0:
            return None
        counted, _ = self._ask(server, cell, _BYTES)
        fits = counted is None or fake_process_bytes(counted) < self.free_bytes
        timed, failure = self._ask(server, cell, _STEPS) if fits else (None, None)
        self.done()
        return Probed(workload=cell.workload, optimizer=cell.optimizer, counted=counted, timed=timed, failure=failure)

    def _ask(self, server: Launcher, cell: Cell, settings: ProbeSettings) -> tuple[Probe | None, str | None]:
        """Return what the probe found, or why it found nothing."""
        if self._left <= 0:
            return None, "the time for probes was over"
        request = Request(
            cell=replace(cell, measurement=settings),
            seed=0,
            warmup_steps=0,
            timeout_seconds=min(self._left, _LONGEST_SECONDS),
            device_index=self.device_index,
        )
        reply = server.perform(request)
        if isinstance(reply.measured, Probe):
            return reply.measured, None
        return None, f"{reply.outcome.kind.replace('_', ' ')}: {reply.outcome.reason}"

    @property
    def _left(self) -> Seconds:
        return self.started + self.max_seconds - monotonic()


def fake_process_bytes(counted: Probe) -> Bytes:
    """Return the bytes of a process with such a step in it: live tensors, interpreter and torch; 0 where unknown."""
    return (counted.peak_bytes or 0) + (counted.rss_high_water_bytes or 0)
