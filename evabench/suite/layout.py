"""Where a file has the tables of its measurements, and where the dataclasses have them.

In a file they stand at the top level or in a tier, and the settings of a seeded kind stand beside its seeds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from evabench.records.measurement import SeededSettings, kinds_of
from evabench.settings.bounds import field_names
from evabench.suite.tables import Measurements, SeededTable

OWN_TABLES = tuple(name for name in field_names(Measurements) if name != "seeded")
SEEDED = kinds_of(SeededSettings)
KINDS = (*OWN_TABLES, *SEEDED)  # what a suite can ask for
# Chosen by the command line, and said beside the settings of an arm.
NOT_IN_FILE = ("tier", "ablations")
_SEEDS = tuple(name for name in field_names(SeededTable) if name != "settings")


def arranged(file: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables of a file as the dataclasses have them."""
    suite = _grouped(file)
    tiers = suite.get("tiers")
    if isinstance(tiers, Mapping):
        suite["tiers"] = {name: _grouped(tier) if isinstance(tier, Mapping) else tier for name, tier in tiers.items()}
    return suite


def place_in_file(place: Sequence[int | str]) -> list[int | str]:
    """Return where the file has what the dataclasses have at this place."""
    words = list(place)
    start = 2 if words[0] == "tiers" else 0
    if words[start : start + 1] == ["measurements"]:
        del words[start]
        if words[start : start + 1] == ["seeded"]:
            del words[start]
            if words[start + 1 : start + 2] == ["settings"]:
                del words[start + 1 : start + 3]  # "settings", and the kind once more
    return words


def names_in_file(table_class: type) -> tuple[str, ...]:
    """Return the names that a suite or a tier may have in a file."""
    expanded = (KINDS if name == "measurements" else (name,) for name in field_names(table_class))
    return tuple(name for names in expanded for name in names if name not in NOT_IN_FILE)


def names_of_kind(kind: str) -> tuple[str, ...]:
    """Return the names that the table of a seeded kind may have in a file."""
    return (*_SEEDS, *(name for name in field_names(SEEDED[kind]) if name != "measurement"))


def _grouped(table: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: value for name, value in table.items() if name not in (*KINDS, "measurements")}
    # A table "measurements" of the file's own goes where nothing has that name.
    groups = {name: table[name] for name in (*OWN_TABLES, "measurements") if name in table}
    seeded = {kind: _split(kind, value) for kind, value in table.items() if kind in SEEDED}
    return found | {"measurements": groups | ({"seeded": seeded} if seeded else {})}


def _split(kind: str, table: Any) -> Any:
    if not isinstance(table, Mapping):
        return table
    settings = {name: value for name, value in table.items() if name not in _SEEDS}
    seeds = {name: value for name, value in table.items() if name in _SEEDS}
    # A setting "measurement" of the file's own would choose another kind: beside the seeds it is refused.
    own = {"measurement": settings.pop("measurement")} if "measurement" in settings else {}
    return seeds | own | {"settings": {"measurement": kind, **settings}}
