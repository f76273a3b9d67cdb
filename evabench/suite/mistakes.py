"""Every mistake of a suite file, in words that name the place, what was found and what is allowed."""

import math
from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from evabench.records.codec import what_is_wrong
from evabench.records.measurement import ViewSettings
from evabench.settings.bounds import field_names
from evabench.settings.choices import TAG
from evabench.settings.claims import CLAIM_FIELDS, ClaimedWorkload
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.points import at_point, values_of
from evabench.settings.targets import Target
from evabench.settings.workloads import WorkloadSettings
from evabench.suite.ablations import ABLATION_OF
from evabench.suite.convergence import ConvergenceTable
from evabench.suite.directions import DirectionsTable
from evabench.suite.gate import CellMargins, GateTable, Quarantine, cell_name
from evabench.suite.layout import KINDS, NOT_IN_FILE, SEEDED, names_in_file, names_of_kind, place_in_file
from evabench.suite.suite import Suite
from evabench.suite.tables import MemoryTable, PhasesTable, TierTable, TimingTable
from evabench.suite.tuning import MAX_POINTS, TuningTable

# Tables whose entries are one of several classes: the key that says which, and the classes.
_UNIONS: dict[str, tuple[str, Any]] = {
    "arms": ("optimizer", OptimizerSettings),
    "workloads": ("workload", WorkloadSettings),
}
_TABLES: dict[str, type] = {
    "step_time": TimingTable,
    "phases": PhasesTable,
    "memory": MemoryTable,
    "convergence": ConvergenceTable,
    "directions": DirectionsTable,
    "tuning": TuningTable,
    "gate": GateTable,
}
_IN_GATE: dict[str, type] = {"margins": CellMargins, "quarantine": Quarantine}
FINITE = "must be a finite number"
_STEP_BY_CLOSURE = frozenset({"torch.optim:LBFGS"})
_SIGNS = {"greater_than": ">", "greater_than_equal": ">=", "less_than": "<", "less_than_equal": "<="}
_LIMITS = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}


def check_values(table: Mapping[str, Any], place: tuple[str, ...] = ()) -> list[str]:
    """Return the values that no result file could hold: numbers without an end, and dates."""
    mistakes = []
    for key, value in table.items():
        for one in _leaves(value):
            where = f"[{'.'.join(place)}]" if place else "top level"
            if isinstance(one, Mapping):
                mistakes += check_values(one, (*place, key))
            elif isinstance(one, float) and not math.isfinite(one):
                mistakes.append(f"{where}: {key} {FINITE}, got {one}")
            elif isinstance(one, date | time):
                mistakes.append(f'{where}: {key} is a date, and no setting is one. As a text: "{one}"')
    return mistakes


def _leaves(value: Any) -> Iterator[Any]:
    """Yield what a list holds, and the lists in it; what is no list as it is."""
    if isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    else:
        yield value


def check_own_fields(table: Mapping[str, Any]) -> list[str]:
    """Return the fields of a suite that its file has no say in, where it names them all the same."""
    allowed = ", ".join(names_in_file(Suite))
    return [f"top level has no setting {name}. It has: {allowed}" for name in NOT_IN_FILE if name in table]


def check_closures(suite: Suite) -> list[str]:
    """Return the arms that are known to step by a closure and are not given one; of others only the child can tell."""
    arms = {name: one for name, one in suite.arms.items() if isinstance(one, PluginSettings) and not one.closure}
    return [
        f'[arms.{name}]: the step of "{one.name}" needs a closure: give the arm closure = true'
        for name, one in arms.items()
        if one.name in _STEP_BY_CLOSURE
    ]


def check_scaled_closures(suite: Suite) -> list[str]:
    """Return the workloads whose loss is scaled beside arms that step by a closure: a scaler knows no closure."""
    by_closure = [name for name, arm in suite.arms.items() if isinstance(arm, PluginSettings) and arm.closure]
    words = f'precision = "fp16" scales the loss, and no scaler knows the closure of {", ".join(by_closure)}'
    return [
        f"[workloads.{name}]: {words}"
        for name, one in suite.workloads.items()
        if one.precision == "fp16" and by_closure
    ]


def check_tiers(suite: Suite) -> list[str]:
    """Return the mistakes of the tiers' own lists; a suite has tiers or tables of its own, not both."""
    mistakes = []
    if suite.tiers and suite.tables:
        mistakes.append(f"a suite with tiers has {', '.join(KINDS)} in its tiers only")
    for tier, table in suite.tiers.items():
        for key, known in (("workloads", suite.workloads), ("arms", suite.arms)):
            unknown = [name for name in getattr(table, key) or () if name not in known]
            mistakes += [f'[tiers.{tier}] {key}: "{name}" is none of {", ".join(known)}' for name in unknown]
    return mistakes


def check_gate(suite: Suite) -> list[str]:
    """Return what is wrong between [gate] and the cells of the whole suite."""
    known = (cell_name(workload, arm) for workload in suite.workloads for arm in suite.arms)
    return [f"[gate] {why}" for why in (suite.gate.unknown(known) if suite.gate else ())]


def cross_check(suite: Suite) -> list[str]:
    """Return what is wrong between the tables of a suite."""
    mistakes = []
    place = f"[tiers.{suite.tier}." if suite.tier else "["
    if suite.convergence:
        for key, known in (("without", suite.arms), ("targets", suite.workloads)):
            unknown = [name for name in getattr(suite.convergence, key) if name not in known]
            mistakes += [f'{place}convergence] {key}: "{name}" is none of {", ".join(known)}' for name in unknown]
        for name, target in suite.convergence.targets.items():
            mistakes += [f"{place}convergence.targets.{name}] {why}" for why in _check_reference(suite, target)]
    mistakes += check_tuning(suite)
    for kind in suite.tables:
        try:
            suite.cells(kind)
        except ValueError as error:
            mistakes.append(f"{place}{kind}]: {error}")
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


def check_tuning(suite: Suite) -> list[str]:
    """Return what is wrong with the trials: unequal chances, seeds judged too, points that make no settings."""
    table = suite.tuning
    if table is None:
        return []
    place = ("tiers", suite.tier, "tuning") if suite.tier else ("tuning",)
    where = f"[{'.'.join(place)}]"
    if suite.convergence is None:
        return [f"{where} needs [convergence], which says how a trial is trained"]
    mistakes = [f"{where}: {why}" for why in (*_check_workload(suite, table), *_check_seeds(suite, table))]
    unknown = [name for name in table.arms if name not in suite.arms]
    mistakes += [f'{where} arms: "{name}" is none of {", ".join(suite.arms)}' for name in unknown]
    counts = {arm: table.num_points(arm) for arm in suite.arms if arm not in suite.convergence.without}
    if max(counts.values(), default=0) > MAX_POINTS:
        return [*mistakes, f"{where}: an arm has {max(counts.values())} points, {MAX_POINTS} at most"]
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{arm} {count}" for arm, count in counts.items())
        mistakes.append(f"{where}: every arm that is trained must have the same number of points, got {told}")
    for arm in [arm for arm in table.arms if arm in suite.arms]:
        mistakes += _check_points(suite.arms[arm], table, (*place, "arms", arm))
    return mistakes


def _check_workload(suite: Suite, table: TuningTable) -> Iterator[str]:
    names = ", ".join(suite.workloads)
    if table.workload is None and len(suite.workloads) > 1:
        yield f"workload is missing: which one of {names}?"
    elif table.workload is not None and table.workload not in suite.workloads:
        yield f'workload: "{table.workload}" is none of {names}'
    elif suite.convergence:
        workload = suite.workloads[table.workload or next(iter(suite.workloads))]
        try:
            suite.convergence.trial(workload.steps_per_epoch, table.steps, table.evaluate_every)
        except ValueError as error:
            yield str(error)


def _check_seeds(suite: Suite, table: TuningTable) -> Iterator[str]:
    assert suite.convergence
    tuning = table.run_seeds
    setting = {target.reference for target in suite.convergence.targets.values()} - {None}
    others = {"judged": suite.convergence.run_seeds(None)}
    if setting:
        others["target-setting"] = suite.convergence.setting_seeds
    for what, seeds in others.items():
        if max(tuning.start, seeds.start) < min(tuning.stop, seeds.stop):
            yield (
                f"the tuning seeds {tuning.start} to {tuning.stop - 1} and the {what} seeds {seeds.start} to "
                f"{seeds.stop - 1} must have none in common: choose another first_seed"
            )


def _check_points(settings: OptimizerSettings, table: TuningTable, place: tuple[str, ...]) -> list[str]:
    """Return what is wrong with the grids of one arm, each thing once."""
    where, known = f"[{'.'.join(place)}]", values_of(settings)
    grids = table.grids(place[-1])
    names = dict.fromkeys(name for grid in grids for name in grid)
    if not isinstance(settings, PluginSettings):
        unknown = [name for name in names if name not in known]
        if unknown:
            return [f"{where} has no setting {name}. It has: {', '.join(known)}" for name in unknown]
    alone = [{name: value} for grid in grids for name, values in grid.items() for value in values]
    mistakes = [mistake for point in alone for mistake in _refused(settings, point, place)]
    lacking = [(index, name) for index, grid in enumerate(grids, 1) for name in names if name not in grid]
    mistakes += [
        f"{where}, entry {index}: {name} is missing. Each grid names what any of them varies: what it leaves out "
        "is the arm's own value, which the choice may change"
        for index, name in lacking
    ]
    if mistakes:
        return list(dict.fromkeys(mistakes))
    try:
        points = list(table.points(place[-1], settings))
    except ValueError as error:  # values that do not go together
        return [f"{where}: {error}"]
    twice = len(points) - len({repr(point) for point in points})
    return [f"{where}: {twice} of its {len(points)} points are there twice"] if twice else []


def _refused(settings: OptimizerSettings, point: Mapping[str, Any], place: tuple[str, ...]) -> list[str]:
    try:
        at_point(settings, point)
    except ValidationError as error:
        return [explain({**one, "loc": (*place, *one["loc"])}) for one in error.errors()]
    except ValueError as error:
        return [f"[{'.'.join(place)}]: {error}"]
    return []


def explain(detail: ErrorDetails, file: type = Suite) -> str:
    """Return one of pydantic's complaints about a kind of file in words of ours."""
    words = _words(detail)
    table, key = f"[{'.'.join(words[:-1])}]" if len(words) > 1 else "top level", words[-1]
    kind, found = detail["type"], detail["input"]
    context = detail.get("ctx", {})
    if key == "[key]":
        return f"[{'.'.join(words[:-2])}] has no {words[-2]}: {detail['msg'].removeprefix('Input ')}"
    match kind:
        case "unexpected_keyword_argument" | "extra_forbidden":
            allowed = _allowed(words[:-1], detail, file)
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
        case "too_short":
            return f"{table}: {key} must have {context['min_length']} or more entries"
        case "no_option":
            return f"{table}: {key} {detail['msg']}, got {found!r}"
        case "value_error":
            return f"[{'.'.join(words)}]: {context['error']}"
        case _:
            return f"{table}: {key} {what_is_wrong(detail)}, got {found!r}"


def _words(detail: ErrorDetails) -> list[str]:
    """Return the tables and the key where the file has it; an entry of a list belongs to its key."""
    places = place_in_file(detail["loc"])
    if places[0] in _UNIONS and len(places) > 2:
        del places[2]  # pydantic names the member of the union; the table says it itself
    words: list[str] = []
    for place in places:
        if isinstance(place, int):
            words[-1] += f", entry {place + 1}"
        elif not place.startswith(TAG):
            words.append(place)
    return words


def _allowed(words: list[str], detail: ErrorDetails, file: type) -> str:
    if not words:
        return ", ".join(names_in_file(file))
    if words[0].startswith("claims"):
        return ", ".join(CLAIM_FIELDS if len(words) == 1 else field_names(ClaimedWorkload))
    if words[0] in _UNIONS:
        beside = (ABLATION_OF,) if words[0] == "arms" else ()
        return ", ".join((*field_names(_members(words[0])[str(detail["loc"][2])]), *beside))
    if words[0] == "tiers":
        words = words[2:]
        if not words:
            return ", ".join(names_in_file(TierTable))
    if len(words) > 1 and words[0] == "gate":
        return ", ".join(field_names(_IN_GATE[words[1]]))
    if len(words) > 1:
        return ", ".join(field_names(ViewSettings if words[0] == "mechanism" else Target))
    return ", ".join(names_of_kind(words[0]) if words[0] in SEEDED else field_names(_TABLES[words[0]]))


def _members(table: str) -> dict[str, Any]:
    """Return the settings classes of a union by their tags."""
    tag, union = _UNIONS[table]
    return {kind.__dataclass_fields__[tag].default: kind for kind in get_args(get_args(union)[0])}


def optimizer_tags() -> tuple[str, ...]:
    """Return the tags of all optimizers."""
    return tuple(_members("arms"))
