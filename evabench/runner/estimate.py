"""What a plan will take, before it is run: from stored runs of this host, else from probes, else unknown.

Stored runs may be of older code or of another suite: an estimate needs no exact key. Nothing here is a measurement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean, median
from typing import Literal, assert_never

from evabench.records.cell import Cell, Role
from evabench.records.convergence import Convergence
from evabench.records.measurement import (
    ConvergenceSettings,
    CountsSettings,
    DirectionsSettings,
    MemorySettings,
    PhasesSettings,
    RateSettings,
    StepTimeSettings,
    WarmUpSettings,
)
from evabench.records.memory import Memory
from evabench.records.probe import Probe
from evabench.records.run import Run
from evabench.runner.plan import Plan
from evabench.runner.probing import Probed, Probing, fake_process_bytes
from evabench.settings.datasets import IMAGE_SETS, num_kept
from evabench.settings.language import LanguageSettings
from evabench.settings.workloads import WorkloadSettings
from evabench.units import Bytes, Seconds

Origin = Literal["stored runs", "probe", "unknown"]

# The kinds whose seconds follow from those of a step; those of a probe of the mechanism, say, do not.
Stepwise = (
    WarmUpSettings
    | StepTimeSettings
    | PhasesSettings
    | MemorySettings
    | CountsSettings
    | DirectionsSettings
    | ConvergenceSettings
    | RateSettings
)

_ROLES: Mapping[Role, str] = {
    "judged": "",
    "sets_target": " (target)",
    "tuning": " (tuning)",
    "rate_check": " (other rate)",
}
_WARM_UP_WINDOWS = 3  # two that agree, and often one more
_INSTRUMENTED_STEPS = 4  # a tracked and a profiled step cost about two plain ones each
_COUNTED_OVER_PLAIN = 2  # a step whose operators are counted, over one that runs without


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one run; None: unknown."""

    seconds: Seconds | None
    process_bytes: Bytes | None  # the most that its process will have
    origin: Origin  # of the seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """All runs of one workload and one kind of measurement."""

    workload: str
    measurement: str
    costs: tuple[Cost, ...]

    @property
    def seconds(self) -> Seconds:
        """Return the sum of what is known."""
        return sum(cost.seconds for cost in self.costs if cost.seconds is not None)

    @property
    def num_unknown(self) -> int:
        """Return the runs whose time is unknown."""
        return sum(cost.seconds is None for cost in self.costs)

    @property
    def process_bytes(self) -> Bytes | None:
        """Return the most that one run takes, None where nothing is known."""
        return max((cost.process_bytes for cost in self.costs if cost.process_bytes is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Of a whole plan, one run after the other."""

    rows: tuple[Row, ...]
    server_seconds: Seconds | None  # to start the launch servers; None: unknown, and not in the sum
    num_servers: int
    too_large: tuple[str, ...]  # workloads and arms that will not fit into the free memory
    free_bytes: Bytes
    num_unprobed: int = 0  # workloads with an optimizer for which no time was left
    seconds_to_probe_all: Seconds | None = None  # by those that were probed; None: none was
    failures: Mapping[str, str] = field(default_factory=dict)  # workload and arm: why its probe found no time

    @property
    def seconds(self) -> Seconds:
        """Return the sum of what is known, the start of the servers included."""
        return sum(row.seconds for row in self.rows) + (self.server_seconds or 0.0)

    @property
    def num_unknown(self) -> int:
        """Return the runs whose time is unknown."""
        return sum(row.num_unknown for row in self.rows)


@dataclass(frozen=True)
class History:
    """The stored runs of this host that came to an end."""

    runs: Sequence[Run]

    def speaks_for(self, cell: Cell) -> bool:
        """Return whether seconds and bytes of such runs are known, so that no probe is needed."""
        return self.seconds_of(cell) is not None and self.bytes_of(cell) is not None

    def seconds_of(self, cell: Cell) -> Seconds | None:
        """Return the median of such runs; training to another budget is scaled to this one."""
        seconds = [found for run in self._alike(cell) if (found := _seconds_as(run, cell)) is not None]
        return median(seconds) if seconds else None

    def bytes_of(self, cell: Cell) -> Bytes | None:
        """Return the most that the process of a memory run took; other kinds of run do not read it."""
        found = [
            run.measured.rss_high_water_bytes
            for run in self._alike(cell)
            if isinstance(run.measured, Memory) and run.measured.rss_high_water_bytes is not None
        ]
        return max(found, default=None)

    def _alike(self, cell: Cell) -> Sequence[Run]:
        return self._by_pair.get(_pair(cell), [])

    @cached_property
    def _by_pair(self) -> dict[tuple[str, str, int, str], list[Run]]:
        pairs: dict[tuple[str, str, int, str], list[Run]] = {}
        for run in self.runs:
            if run.outcome.completed:
                pairs.setdefault(_pair(run.cell), []).append(run)
        return pairs


def _pair(cell: Cell) -> tuple[str, str, int, str]:
    return repr(cell.workload), repr(cell.optimizer), cell.threads, cell.device


def estimate(plan: Plan, history: History, probing: Probing, free_bytes: Bytes) -> Estimate:
    """Return what the runs that are left will take."""
    probes = {(repr(one.workload), repr(one.optimizer)): one for one in probing.found}
    rows: dict[tuple[str, str], list[Cost]] = {}
    too_large: dict[str, None] = {}
    failures: dict[str, str] = {}
    for run in plan.left:
        cell, title = run.cell, f"{run.cell.workload_name}, {run.cell.arm}"
        probed = probes.get((repr(cell.workload), repr(cell.optimizer)))
        cost = _cost(cell, history, probed)
        kind = cell.measurement.measurement + _ROLES[cell.role]
        rows.setdefault((cell.workload_name, kind), []).append(cost)
        if cost.process_bytes is not None and cost.process_bytes > free_bytes:
            too_large[title] = None
        if cost.seconds is None and probed and probed.failure:
            failures[title] = probed.failure
    num_servers = len(plan.setting) + len(plan.sessions) + _num_new_sessions(plan)
    server = probing.server_seconds
    return Estimate(
        rows=tuple(Row(workload=name, measurement=kind, costs=tuple(costs)) for (name, kind), costs in rows.items()),
        server_seconds=None if server is None else server * num_servers,
        num_servers=num_servers,
        too_large=tuple(too_large),
        free_bytes=free_bytes,
        num_unprobed=probing.num_left_out,
        seconds_to_probe_all=probing.seconds_for_all,
        failures=failures,
    )


def _num_new_sessions(plan: Plan) -> int:
    """Return 1 where runs wait for a target and nothing that shares a server is left beside them."""
    return int(bool(plan.waiting) and all(session.alone for session in plan.sessions))


def _cost(cell: Cell, history: History, probed: Probed | None) -> Cost:
    seconds = history.seconds_of(cell)
    origin: Origin = "unknown" if seconds is None else "stored runs"
    timed, counted = (probed.timed, probed.counted) if probed else (None, None)
    if seconds is None and timed is not None:
        seconds, origin = _seconds_from(cell, timed), "probe"
    process_bytes = history.bytes_of(cell)
    if process_bytes is None and timed is not None:
        process_bytes = timed.rss_high_water_bytes
    if process_bytes is None and counted is not None and counted.peak_bytes is not None:
        process_bytes = fake_process_bytes(counted)
    return Cost(seconds=seconds, process_bytes=process_bytes, origin=origin)


def _seconds_as(run: Run, cell: Cell) -> Seconds | None:
    """Return the seconds of a stored run as a run of this cell; None where it does not tell."""
    seconds, stored, wanted = run.conditions.seconds, run.cell.measurement, cell.measurement
    if seconds is None or run.conditions.jobs > 1:
        return None
    if not isinstance(stored, ConvergenceSettings) or not isinstance(wanted, ConvergenceSettings):
        return seconds if stored == wanted else None
    if not isinstance(run.measured, Convergence):
        return None
    trained, once = run.measured.clock_seconds, run.measured.first_step_seconds or 0.0
    evaluations = _num_evaluations(wanted) / _num_evaluations(stored)
    return once + (trained - once) * wanted.steps / stored.steps + (seconds - trained) * evaluations


def _seconds_from(cell: Cell, timed: Probe) -> Seconds | None:
    """Return the seconds of a run from those of a few steps; None where they do not follow from them."""
    settings, cycle = cell.measurement, cell.optimizer.cycle_steps
    if not isinstance(settings, Stepwise):
        return None
    step = _amortised(timed.step_seconds, cycle)
    set_up = timed.set_up_seconds or 0.0
    window = -(-10 // cycle) * cycle
    match settings:
        case WarmUpSettings(max_seconds=longest):
            return set_up + min(_WARM_UP_WINDOWS * window * step, longest + window * step)
        case StepTimeSettings():
            return set_up + ((_WARM_UP_WINDOWS - 1) * window + settings.block_steps(cycle)) * step
        case PhasesSettings():
            return set_up + (settings.warmup_cycles(cycle) + 2 * settings.num_cycles(cycle)) * cycle * step
        case MemorySettings():
            return set_up + (2 * cycle + _INSTRUMENTED_STEPS) * step
        case ConvergenceSettings():
            validation, test = _held_out(cell.workload)
            samples = _num_evaluations(settings) * validation + test
            return set_up + settings.steps * step + samples * (timed.held_out_seconds or 0.0)
        case DirectionsSettings(training=training, probes=probes):
            validation, _ = _held_out(cell.workload)
            looks = probes * (validation * (timed.held_out_seconds or 0.0) + step)
            return set_up + training.steps * step + looks
        case CountsSettings():
            return set_up + (1 + _COUNTED_OVER_PLAIN) * cycle * step
        case RateSettings():
            return set_up + len(settings.multiples) * settings.steps * step
        case _:
            assert_never(settings)


def _amortised(steps: Sequence[Seconds], cycle_steps: int) -> Seconds:
    """Return a step with its share of a refresh. The first step refreshes; where all are alike it only warms up."""
    first, *others = steps
    plain = fmean(others)
    return plain if cycle_steps == 1 else (first + (cycle_steps - 1) * plain) / cycle_steps


def _num_evaluations(settings: ConvergenceSettings) -> int:
    return 1 + -(-settings.steps // settings.evaluate_every)


def _held_out(workload: WorkloadSettings) -> tuple[int, int]:
    """Return the samples of the validation split and of the test set; 0 where nobody knows before the data is read."""
    if isinstance(workload, LanguageSettings):
        return workload.held_out_windows, workload.held_out_windows
    images = next((known for name, known in IMAGE_SETS.items() if name == workload.data), None)
    if images is None:
        return 0, 0
    return images.num_train - num_kept(images.num_train), images.num_test
