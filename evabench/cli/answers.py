"""What each verb prints with `--json`, as types: docs/json.md is checked against these."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evabench.findings.history import Series
from evabench.reporting.answers import ReportAnswer
from evabench.reporting.ledger import Group
from evabench.runner.cost import Cost
from evabench.units import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class TableAnswer:
    """A table in the words that a person reads."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAnswer:
    """Where a number comes from."""

    address: str
    title: str
    how: str  # it follows from raw lines, in sentences
    keys: tuple[str, ...]  # of the runs behind it
    tables: tuple[TableAnswer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowAnswer:
    """`show`: one report for each file, host and version of torch; none where nothing is stored."""

    reports: tuple[ReportAnswer, ...]
    sources: tuple[SourceAnswer, ...]  # with --id: where the number comes from, in the order of the reports
    notes: tuple[str, ...]  # what standard error says too: without a report, why there is none and what makes one


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenReport:
    """One report, and where it was written."""

    report: ReportAnswer
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteAnswer:
    """`report`: what was written; nothing where nothing is stored."""

    reports: tuple[WrittenReport, ...]
    notes: tuple[str, ...]  # as those of `show`


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAnswer:
    """`run`: what is stored now. With --tune and --dry-run there is no report."""

    store: str  # the file of the runs
    num_stored: int
    num_missing: int
    num_failed: int
    num_lost: int
    report: ReportAnswer | None
    chosen: tuple[str, ...]  # with --tune: the best points, as lines of a suite
    estimated_seconds: Seconds | None  # with --dry-run: of the runs of which something is known
    num_unknown: int | None  # with --dry-run: runs of which nothing is known


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRuns:
    """Claims, judged by one set of runs."""

    runs: str | None  # which ones; None: no runs were asked, and nothing is judged
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsAnswer:
    """`claims`: one set for each file, host and version of torch; none where nothing is stored."""

    sets: tuple[JudgedRuns, ...]
    notes: tuple[str, ...]  # as those of `show`


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSuite:
    """One suite that ships."""

    name: str
    title: str
    tiers: tuple[str, ...]
    data: tuple[str, ...]
    claims: tuple[str, ...]  # ids: its own, then those that it can decide as stated
    arms: tuple[str, ...]
    costs: Mapping[str, Cost] | None  # with --cost, by tier ("" for a suite without)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAnswer:
    """`list`: the suites that ship."""

    suites: tuple[ListedSuite, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """One data set. Where `place` is null and `missing` is false, it comes with evabench."""

    name: str
    title: str
    place: str | None
    missing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DataAnswer:
    """`data`: where data sets are."""

    data_sets: tuple[DataSet, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceAnswer:
    """What to change on this machine."""

    problem: str
    cause: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorAnswer:
    """`doctor`: what this machine is and does, in the words that a person reads, by row."""

    machine: Mapping[str, str]
    run: Mapping[str, str]
    now: Mapping[str, str]
    noise: Mapping[str, str]
    advice: tuple[AdviceAnswer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportAnswer:
    """`export`: what was written. `num_rows` is null for TensorBoard, which has `num_trainings`."""

    path: str
    num_rows: int | None
    num_trainings: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorAnswer:
    """One operator in one phase of a step."""

    phase: str
    name: str
    seconds_per_step: Seconds
    calls_per_step: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfiledArm:
    """One profiled arm. `trace` is null where it could not be written."""

    arm: str
    trace: str | None
    num_steps: int
    profiled_over_plain: float
    operators: tuple[OperatorAnswer, ...]  # the dearest first


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileAnswer:
    """`profile`: where the time of a step goes."""

    workload: str
    arms: tuple[ProfiledArm, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateAnswer:
    """`gate`: `report` is what gate.json holds (docs/gate.md); the other ways of asking print their lines."""

    report: Mapping[str, Any] | None
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendAnswer:
    """`trend`: the history of step times, and where it has shifted."""

    series: tuple[Series, ...]  # none where no step times are stored
    charts: tuple[str, ...]  # files
