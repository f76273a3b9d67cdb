"""`suites/*.toml` -> cells. A different setting is a different line in a file: there are no overrides.

A suite is small (its tables are the whole of it), or has tiers of one name each: "smoke" shows that everything runs,
"laptop" says something in an hour or a night on two cores, "paper" is the authors' scale.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from evabench.errors import SuiteError
from evabench.records.cell import SETS_TARGET, Cell
from evabench.settings.bounds import Count, Positive, field_names
from evabench.settings.measurement import (
    MemorySettings,
    PhasesSettings,
    ProfileSettings,
    StepTimeSettings,
    ViewSettings,
)
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.quadratics import QuadraticSettings
from evabench.settings.suite_tables import (
    ConvergenceTable,
    MechanismTable,
    MemoryTable,
    PhasesTable,
    RateTable,
    Target,
    TierName,
    TierTable,
    TimingTable,
)
from evabench.settings.workloads import WorkloadSettings

T = TypeVar("T")

_FORBID = {"extra": "forbid"}
# Tables whose entries are one of several classes: the key that says which, and the classes.
_UNIONS: dict[str, tuple[str, Any]] = {
    "arms": ("optimizer", OptimizerSettings),
    "workloads": ("workload", WorkloadSettings),
}
# What is measured: each a table of a suite, or of a tier.
_TABLES: dict[str, type] = {
    "step_time": TimingTable,
    "phases": PhasesTable,
    "memory": MemoryTable,
    "convergence": ConvergenceTable,
    "mechanism": MechanismTable,
    "rate": RateTable,
}
# A suite's name is a folder of results and one of reports.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SIGNS = {"greater_than": ">", "greater_than_equal": ">=", "less_than": "<", "less_than_equal": "<="}
_LIMITS = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}


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
    mechanism: MechanismTable | None = None
    rate: RateTable | None = None
    tiers: Mapping[TierName, TierTable] = field(default_factory=dict)
    tier: Annotated[str | None, Field(init=False)] = None  # the one that was chosen

    def at(self, tier: str) -> "Suite":
        """Return the suite as its tables of one tier have it. Raises `SuiteError` where it has no such tier."""
        tables = {str(name): table for name, table in self.tiers.items()}
        if tier not in tables:
            has = ", ".join(self.tiers) or "none: it has one size"
            raise SuiteError(f'the suite {self.name} has no tier "{tier}". It has: {has}')
        table = tables[tier]
        return replace(
            self,
            workloads=_chosen(self.workloads, table.workloads),
            arms=_chosen(self.arms, table.arms),
            timeout_seconds=table.timeout_seconds or self.timeout_seconds,
            step_time=table.step_time,
            phases=table.phases,
            memory=table.memory,
            convergence=table.convergence,
            mechanism=table.mechanism,
            rate=table.rate,
            tiers={},
            tier=tier,
        )

    def timing_cells(self) -> tuple[Cell, ...]:
        """Return one cell for each workload and arm."""
        return tuple(self._cell(name, arm, StepTimeSettings()) for name in self.workloads for arm in self.arms)

    def phases_cells(self) -> tuple[Cell, ...]:
        """Return one cell for each workload and arm."""
        if self.phases is None:
            return ()
        settings = PhasesSettings(min_steps=self.phases.min_steps)
        return tuple(self._cell(name, arm, settings) for name in self.workloads for arm in self.arms)

    def profile_cell(self, workload: str, arm: str, settings: ProfileSettings) -> Cell:
        """Return the cell of one workload and arm. Raises `SuiteError` where the suite does not have them."""
        where = f"the suite {self.name}" + (f" at tier {self.tier}" if self.tier else "")
        for what, name, known in (("workload", workload, self.workloads), ("arm", arm, self.arms)):
            if name not in known:
                raise SuiteError(f'{where} has no {what} "{name}". It has: {", ".join(known)}')
        return self._cell(workload, arm, settings)

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
            for settings in table.settings_for(workload.steps_an_epoch):
                cells += [self._cell(name, arm, settings) for arm in self.arms if arm not in table.without]
        return tuple(cells)

    def target_cells(self) -> tuple[Cell, ...]:
        """Return the cells whose runs set the targets: the reference of each workload that has one, at each budget."""
        table = self.convergence
        if table is None:
            return ()
        return tuple(
            replace(self._cell(name, target.reference, settings), target=SETS_TARGET)
            for name, target in table.targets.items()
            if target.reference is not None
            for settings in table.settings_for(self.workloads[name].steps_an_epoch)
        )

    def mechanism_cells(self) -> tuple[Cell, ...]:
        """Return one cell for each workload and arm; the seeds are the runs of a cell."""
        if self.mechanism is None:
            return ()
        settings = self.mechanism.settings()
        return tuple(self._cell(name, arm, settings) for name in self.workloads for arm in self.arms)

    def rate_cells(self) -> tuple[Cell, ...]:
        """Return one cell for each workload and arm. Raises `ValueError` for a workload that is no quadratic."""
        if self.rate is None:
            return ()
        others = [name for name, each in self.workloads.items() if not isinstance(each, QuadraticSettings)]
        if others:
            raise ValueError(f'a rate is that of a workload "quadratic", which these are not: {", ".join(others)}')
        settings = self.rate.settings()
        return tuple(self._cell(name, arm, settings) for name in self.workloads for arm in self.arms)

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


def load_suite(place: str, tier: str | None = None) -> Suite:
    """Return a suite at one of its tiers; without a tier, one that has tiers comes at "laptop", or at its first.

    Raises `SuiteError` as `read_suite` does, and where there is no such tier.
    """
    suite = read_suite(place)
    if tier is None and suite.tiers:
        tier = "laptop" if "laptop" in suite.tiers else next(iter(suite.tiers))
    return suite if tier is None else suite.at(tier)


def read_suite(place: str) -> Suite:
    """Return the whole suite of a file, or of a name among those that ship with evabench, with all its tiers.

    Raises `SuiteError` with every mistake of the file, one a line.
    """
    path = _find(place)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SuiteError(f"{path}: this is no TOML file: {error}") from None
    names = _check_names(table)
    try:
        suite = TypeAdapter(Suite).validate_json(json.dumps(table, default=str), strict=True)
    except ValidationError as error:
        mistakes = [*names, *map(_explain, error.errors())]
        raise SuiteError("\n".join(f"{path}: {mistake}" for mistake in mistakes)) from None
    mistakes = names + (
        _check_tiers(suite)
        or [mistake for one in (suite, *map(suite.at, suite.tiers)) for mistake in _cross_check(one)]
    )
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


def _check_names(table: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with names: a folder outside of the results, or characters that a terminal obeys."""
    mistakes, name = [], table.get("name", "")
    if "name" in table and not (isinstance(name, str) and _NAME.fullmatch(name)):
        mistakes.append(
            "top level: name is that of a folder, 1 to 100 letters, digits and .-_ that begin with a letter or digit, "
            f"got {name!r}"
        )
    named = {"title": [table.get("title")], "workloads": table.get("workloads"), "arms": table.get("arms")}
    for place, names in named.items():
        unprintable = [one for one in names or () if isinstance(one, str) and not one.isprintable()]
        mistakes += [f"{place}: {one!r} has characters that cannot be shown" for one in unprintable]
    return mistakes


def _check_tiers(suite: Suite) -> list[str]:
    """Return the mistakes of the tiers' own lists; a suite has tiers or tables of its own, not both."""
    mistakes = []
    if suite.tiers and any(getattr(suite, name) for name in _TABLES):
        mistakes.append(f"a suite with tiers has {', '.join(_TABLES)} in its tiers only")
    for tier, table in suite.tiers.items():
        for key, known in (("workloads", suite.workloads), ("arms", suite.arms)):
            unknown = [name for name in getattr(table, key) or () if name not in known]
            mistakes += [f'[tiers.{tier}] {key}: "{name}" is none of {", ".join(known)}' for name in unknown]
    return mistakes


def _cross_check(suite: Suite) -> list[str]:
    mistakes = []
    place = f"[tiers.{suite.tier}." if suite.tier else "["
    if suite.convergence:
        for key, known in (("without", suite.arms), ("targets", suite.workloads)):
            unknown = [name for name in getattr(suite.convergence, key) if name not in known]
            mistakes += [f'{place}convergence] {key}: "{name}" is none of {", ".join(known)}' for name in unknown]
        for name, target in suite.convergence.targets.items():
            mistakes += [f"{place}convergence.targets.{name}] {why}" for why in _check_reference(suite, target)]
    for build in (suite.memory_cells, suite.convergence_cells, suite.mechanism_cells, suite.rate_cells):
        try:
            build()
        except ValueError as error:
            mistakes.append(f"{place}{build.__name__.removesuffix('_cells')}]: {error}")
    return mistakes


def _check_reference(suite: Suite, target: Target) -> Iterator[str]:
    """Yield why the arm cannot set the target. Whether it is the best of its kind, only runs can tell."""
    assert suite.convergence
    name = target.reference
    if name is None:
        return
    first_order = [arm for arm, settings in suite.arms.items() if settings.family == "first-order"]
    if name not in first_order:
        yield f'reference: "{name}" is none of the first-order arms: {", ".join(first_order) or "there are none"}'
    elif name in suite.convergence.without:
        yield f'reference: "{name}" is not trained here: take it out of without'


def _explain(detail: ErrorDetails) -> str:
    places = list(detail["loc"])
    if places[0] in _UNIONS and len(places) > 2:
        del places[2]  # pydantic names the member of the union; the table says it itself
    words: list[str] = []
    for place in places:
        if isinstance(place, int):
            words[-1] += f", entry {place + 1}"
        else:
            words.append(place)
    table, key = f"[{'.'.join(words[:-1])}]" if len(words) > 1 else "top level", words[-1]
    kind, found = detail["type"], detail["input"]
    context = detail.get("ctx", {})
    match kind:
        case "unexpected_keyword_argument" | "extra_forbidden":
            allowed = _allowed(words[:-1], found, detail)
            return f"{table} has no setting {key}. It has: {allowed}"
        case "union_tag_invalid":
            what = _UNIONS[words[0]][0]
            return f"[{'.'.join(words)}]: {what} {context['tag']} is unknown. Known: {context['expected_tags']}"
        case "union_tag_not_found":
            what, _ = _UNIONS[words[0]]
            return f"[{'.'.join(words)}]: {what} is missing: which one? Known: {', '.join(_members(words[0]))}"
        case "missing" | "missing_argument":
            return f"{table}: {key} is missing"
        case _ if kind in _SIGNS:
            return f"{table}: {key} must be {_SIGNS[kind]} {context[_LIMITS[kind]]:g}, got {found}"
        case "value_error":
            return f"[{'.'.join(words)}]: {context['error']}"
        case _:
            return f"{table}: {key}: {detail['msg']}, got {found!r}"


def _allowed(words: list[str], found: Any, detail: ErrorDetails) -> str:
    if not words:
        return ", ".join(name for name in field_names(Suite) if name != "tier")  # chosen by the command line
    if words[0] in _UNIONS:
        return ", ".join(field_names(_members(words[0])[str(detail["loc"][2])]))
    if words[0] == "tiers":
        words = words[2:]
        if not words:
            return ", ".join(field_names(TierTable))
    if len(words) > 1:
        return ", ".join(field_names(ViewSettings if words[0] == "mechanism" else Target))
    return ", ".join(field_names(_TABLES[words[0]]))


def _members(table: str) -> dict[str, Any]:
    """Return the settings classes of a union by their tags."""
    tag, union = _UNIONS[table]
    return {kind.__dataclass_fields__[tag].default: kind for kind in get_args(get_args(union)[0])}


def _chosen(every: Mapping[str, T], names: tuple[str, ...] | None) -> Mapping[str, T]:
    return every if names is None else {name: every[name] for name in names}
