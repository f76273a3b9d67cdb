"""`suites/*.toml` -> cells. A different setting is a different line in a file: there are no overrides."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from evabench.errors import SuiteError
from evabench.records.cell import Cell
from evabench.settings.bounds import Count, Positive, field_names
from evabench.settings.measurement import (
    ConvergenceSettings,
    MemorySettings,
    PhasesSettings,
    Schedule,
    StepTimeSettings,
)
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.workloads import AutoencoderSettings, WorkloadSettings

_FORBID = {"extra": "forbid"}
_SIGNS = {"greater_than": ">", "greater_than_equal": ">=", "less_than": "<", "less_than_equal": "<="}
_LIMITS = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingTable:
    """[step_time]: how many sweeps, the pilot not counted."""

    __pydantic_config__ = _FORBID
    sweeps: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class PhasesTable:
    """[phases]: one run an arm, with the marks of a step read."""

    __pydantic_config__ = _FORBID
    min_steps: Count = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryTable:
    """[memory]: hidden widths as multiples of the workload's own; 1 is the workload itself."""

    __pydantic_config__ = _FORBID
    width_scales: tuple[Positive, ...] = (1.0,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A validation loss to reach, and where the number comes from."""

    __pydantic_config__ = _FORBID
    value: Positive
    provenance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvergenceTable:
    """[convergence]: seeds and budget; `without` names arms that are too dear here."""

    __pydantic_config__ = _FORBID
    seeds: Count
    first_seed: int = 0
    epochs: Count
    evaluate_every: Count
    schedule: Schedule = "linear"
    without: tuple[str, ...] = ()
    targets: Mapping[str, Target] = field(default_factory=dict)  # by workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A whole file."""

    __pydantic_config__ = _FORBID
    name: str
    title: str
    description: str
    threads: Count = 1
    seed: int = 0  # draws the order of the arms and the layout of each sweep
    timeout_seconds: Positive = 600.0
    decided_by: str | None = None  # the suite that is large enough to decide what this one cannot
    workloads: Annotated[Mapping[str, WorkloadSettings], Field(min_length=1)]
    arms: Annotated[Mapping[str, OptimizerSettings], Field(min_length=1)]
    step_time: TimingTable | None = None
    phases: PhasesTable | None = None
    memory: MemoryTable | None = None
    convergence: ConvergenceTable | None = None

    def timing_cells(self) -> tuple[Cell, ...]:
        """Return one cell for each workload and arm."""
        return tuple(self._cell(name, arm, StepTimeSettings()) for name in self.workloads for arm in self.arms)

    def phases_cells(self) -> tuple[Cell, ...]:
        """Return one cell for each workload and arm."""
        if self.phases is None:
            return ()
        settings = PhasesSettings(min_steps=self.phases.min_steps)
        return tuple(self._cell(name, arm, settings) for name in self.workloads for arm in self.arms)

    def memory_cells(self) -> tuple[Cell, ...]:
        """Return one cell for each workload, width and arm."""
        scales = self.memory.width_scales if self.memory else ()
        return tuple(
            self._cell(name, arm, MemorySettings(), scale)
            for name in self.workloads
            for scale in scales
            for arm in self.arms
        )

    def convergence_cells(self) -> tuple[Cell, ...]:
        """Return one cell for each workload and arm; the seeds are the runs of a cell."""
        table = self.convergence
        if table is None:
            return ()
        cells = []
        for name, workload in self.workloads.items():
            settings = ConvergenceSettings(
                steps=table.epochs * workload.steps_an_epoch,
                evaluate_every=table.evaluate_every,
                schedule=table.schedule,
            )
            cells += [self._cell(name, arm, settings) for arm in self.arms if arm not in table.without]
        return tuple(cells)

    def _cell(self, name: str, arm: str, measurement: Any, scale: float = 1.0) -> Cell:
        workload = self.workloads[name]
        return Cell(
            workload_name=name if scale == 1.0 else f"{name} x{scale:g}",
            workload=workload if scale == 1.0 else workload.scaled(scale),
            arm=arm,
            optimizer=self.arms[arm],
            measurement=measurement,
            threads=self.threads,
        )


def load_suite(place: str) -> Suite:
    """Return the suite of a file, or of a name among those that ship with evabench.

    Raises `SuiteError` with every mistake of the file, one a line.
    """
    path = _find(place)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SuiteError(f"{path}: this is no TOML file: {error}") from None
    try:
        suite = TypeAdapter(Suite).validate_json(json.dumps(table, default=str), strict=True)
    except ValidationError as error:
        raise SuiteError("\n".join(f"{path}: {_explain(detail)}" for detail in error.errors())) from None
    mistakes = _cross_check(suite)
    if mistakes:
        raise SuiteError("\n".join(f"{path}: {mistake}" for mistake in mistakes))
    return suite


def shipped_suites() -> dict[str, Path]:
    """Return the suites that ship with evabench, by name."""
    package = Path(__file__).parent
    for folder in (package / "suites", package.parent / "suites"):  # a wheel, a checkout
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob("*.toml"))}
    return {}


def _find(place: str) -> Path:
    path = Path(place)
    if path.is_file():
        return path
    shipped = shipped_suites()
    if place in shipped:
        return shipped[place]
    raise SuiteError(f'there is no suite "{place}": no such file, and the suites that ship are {", ".join(shipped)}')


def _cross_check(suite: Suite) -> list[str]:
    mistakes = []
    if suite.convergence:
        for key, known in (("without", suite.arms), ("targets", suite.workloads)):
            unknown = [name for name in getattr(suite.convergence, key) if name not in known]
            mistakes += [f'[convergence] {key}: "{name}" is none of {", ".join(known)}' for name in unknown]
    for build in (suite.memory_cells, suite.convergence_cells):
        try:
            build()
        except ValueError as error:
            mistakes.append(f"[{build.__name__.removesuffix('_cells')}]: {error}")
    return mistakes


def _explain(detail: ErrorDetails) -> str:
    words = [str(word) for word in detail["loc"]]
    if words[0] == "arms" and len(words) > 2:
        del words[2]  # pydantic names the member of the union; the table says it itself
    table, key = f"[{'.'.join(words[:-1])}]" if len(words) > 1 else "top level", words[-1]
    kind, found = detail["type"], detail["input"]
    context = detail.get("ctx", {})
    match kind:
        case "unexpected_keyword_argument" | "extra_forbidden":
            allowed = _allowed(words[:-1], found, detail)
            return f"{table} has no setting {key}. It has: {allowed}"
        case "union_tag_invalid":
            return f"[{'.'.join(words)}]: optimizer {context['tag']} is unknown. Known: {context['expected_tags']}"
        case "union_tag_not_found":
            return f"[{'.'.join(words)}]: optimizer is missing: which one? Known: {', '.join(_optimizer_tags())}"
        case "missing" | "missing_argument":
            return f"{table}: {key} is missing"
        case _ if kind in _SIGNS:
            return f"{table}: {key} must be {_SIGNS[kind]} {context[_LIMITS[kind]]:g}, got {found}"
        case "value_error":
            return f"[{'.'.join(words)}]: {context['error']}"
        case _:
            return f"{table}: {key}: {detail['msg']}, got {found!r}"


def _allowed(words: list[str], found: Any, detail: ErrorDetails) -> str:
    tables: dict[str, type] = {
        "step_time": TimingTable,
        "phases": PhasesTable,
        "memory": MemoryTable,
        "convergence": ConvergenceTable,
    }
    if not words:
        return ", ".join(field_names(Suite))
    if words[0] == "arms":
        tag = str(detail["loc"][2])
        return ", ".join(
            next(
                field_names(kind)
                for kind in _optimizer_classes()
                if kind.__dataclass_fields__["optimizer"].default == tag
            )
        )
    if words[0] == "workloads":
        return ", ".join(field_names(AutoencoderSettings))
    return ", ".join(field_names(Target if len(words) > 1 else tables[words[0]]))


def _optimizer_classes() -> tuple[Any, ...]:
    return get_args(get_args(OptimizerSettings)[0])


def _optimizer_tags() -> list[str]:
    return [kind.__dataclass_fields__["optimizer"].default for kind in _optimizer_classes()]
