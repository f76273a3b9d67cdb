"""Every mistake of a suite file, in words that name the place, what was found and what is allowed."""

import math
from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import Any, get_args

from pydantic_core import ErrorDetails

from evabench.records.measurement import ViewSettings
from evabench.settings.bounds import field_names
from evabench.settings.choices import TAG
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.targets import Target
from evabench.settings.workloads import WorkloadSettings
from evabench.suite.convergence import ConvergenceTable
from evabench.suite.layout import KINDS, SEEDED, names_in_file, names_of_kind, place_in_file
from evabench.suite.suite import Suite
from evabench.suite.tables import MemoryTable, PhasesTable, TierTable, TimingTable

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
}
FINITE = "must be a finite number"
_STEP_BY_CLOSURE = frozenset({"torch.optim:LBFGS"})
_SIGNS = {"greater_than": ">", "greater_than_equal": ">=", "less_than": "<", "less_than_equal": "<="}
_LIMITS = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}


def check_values(table: Mapping[str, Any], place: tuple[str, ...] = ()) -> list[str]:
    """Return the values that no result file could hold: numbers without an end, and dates."""
    mistakes = []
    for key, value in table.items():
        for one in value if isinstance(value, list) else [value]:
            where = f"[{'.'.join(place)}]" if place else "top level"
            if isinstance(one, Mapping):
                mistakes += check_values(one, (*place, key))
            elif isinstance(one, float) and not math.isfinite(one):
                mistakes.append(f"{where}: {key} {FINITE}, got {one}")
            elif isinstance(one, date | time):
                mistakes.append(f'{where}: {key} is a date, and no setting is one. As a text: "{one}"')
    return mistakes


def check_closures(suite: Suite) -> list[str]:
    """Return the arms that are known to step by a closure and are not given one; of others only the child can tell."""
    arms = {name: one for name, one in suite.arms.items() if isinstance(one, PluginSettings) and not one.closure}
    return [
        f'[arms.{name}]: the step of "{one.name}" needs a closure: give the arm closure = true'
        for name, one in arms.items()
        if one.name in _STEP_BY_CLOSURE
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


def explain(detail: ErrorDetails) -> str:
    """Return one of pydantic's complaints in words of ours."""
    words = _words(detail)
    table, key = f"[{'.'.join(words[:-1])}]" if len(words) > 1 else "top level", words[-1]
    kind, found = detail["type"], detail["input"]
    context = detail.get("ctx", {})
    if key == "[key]":
        return f"[{'.'.join(words[:-2])}] has no {words[-2]}: {detail['msg'].removeprefix('Input ')}"
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
        case "too_short":
            return f"{table}: {key} must have {context['min_length']} or more entries"
        case "no_option":
            return f"{table}: {key} {detail['msg']}, got {found!r}"
        case "value_error":
            return f"[{'.'.join(words)}]: {context['error']}"
        case _:
            return f"{table}: {key}: {detail['msg']}, got {found!r}"


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


def _allowed(words: list[str], found: Any, detail: ErrorDetails) -> str:
    if not words:
        return ", ".join(names_in_file(Suite))
    if words[0] in _UNIONS:
        return ", ".join(field_names(_members(words[0])[str(detail["loc"][2])]))
    if words[0] == "tiers":
        words = words[2:]
        if not words:
            return ", ".join(names_in_file(TierTable))
    if len(words) > 1:
        return ", ".join(field_names(ViewSettings if words[0] == "mechanism" else Target))
    return ", ".join(names_of_kind(words[0]) if words[0] in SEEDED else field_names(_TABLES[words[0]]))


def _members(table: str) -> dict[str, Any]:
    """Return the settings classes of a union by their tags."""
    tag, union = _UNIONS[table]
    return {kind.__dataclass_fields__[tag].default: kind for kind in get_args(get_args(union)[0])}
