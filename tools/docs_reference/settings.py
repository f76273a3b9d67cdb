"""The settings as a page: every key of a suite file with what it may be, its default, unit and meaning."""

import dataclasses
import re
from collections.abc import Iterator, Sequence
from typing import Any, get_args, get_type_hints

from evabench.records.measurement import ViewSettings
from evabench.settings.bounds import field_names
from evabench.settings.claims import CLAIM_FIELDS, Claim, ClaimedWorkload
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.targets import Target
from evabench.settings.workloads import WorkloadSettings
from evabench.suite.convergence import ConvergenceTable
from evabench.suite.directions import DirectionsTable
from evabench.suite.gate import CellMargins, GateTable, Quarantine
from evabench.suite.layout import SEEDED
from evabench.suite.suite import Suite
from evabench.suite.tables import MemoryTable, PhasesTable, SeededTable, TierTable, TimingTable
from evabench.suite.tuning import TuningTable
from tools.docs_reference.comments import field_comments
from tools.docs_reference.meanings import MEANINGS, unit_of
from tools.docs_reference.words import default_of, head, table, what_it_may_be

# A section says which, or the command line, or an arm.
_LEFT_OUT = ("optimizer", "workload", "measurement", "measurements", "tier", "ablations", "settings")


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """A key of a table."""

    kind: str  # the class that has it
    name: str
    value: str
    default: str
    meaning: str

    @property
    def row(self) -> tuple[str, ...]:
        """Return it as a row."""
        return f"`{self.name}`", self.value, self.default, unit_of(self.kind, self.name), self.meaning


def keys_of(kind: type, names: Sequence[str] = ()) -> list[Key]:
    """Return the keys of a table; `names`: those alone."""
    said, hints = field_comments(kind), get_type_hints(kind, include_extras=True)
    fields = {one.name: one for one in dataclasses.fields(kind) if one.name in (names or field_names(kind))}
    return [
        Key(
            kind=kind.__name__,
            name=name,
            value=what_it_may_be(hints[name]),
            default=default_of(one),
            meaning=_meaning(kind, name, said.get(name, "")),
        )
        for name, one in fields.items()
        if name not in _LEFT_OUT
    ]


def _meaning(kind: type, name: str, comment: str) -> str:
    """Return what the generator says of this very key, else the comment of its field, else of any such key."""
    words = MEANINGS.get(f"{kind.__name__}.{name}") or comment or MEANINGS.get(name, "")
    return re.sub(r"\bNone:", "left out:", words)


def sections() -> Iterator[tuple[str, str, list[Key]]]:
    """Yield each section: its heading with the marks of its level, a sentence, and its keys."""
    yield "## Top level", "", keys_of(Suite)
    yield "## `[tiers.NAME]`", "Named `smoke`, `laptop` or `paper`; with tables of measurements.", keys_of(TierTable)
    for heading, tag, union in (("Workloads", "workload", WorkloadSettings), ("Arms", "optimizer", OptimizerSettings)):
        yield f"## {heading}", f"`[{heading.lower()}.NAME]`, of a kind that `{tag}` says.", []
        for kind in get_args(get_args(union)[0]):
            name = kind.__dataclass_fields__[tag].default
            yield f'### `{tag} = "{name}"`', _first_sentence(kind), keys_of(kind)
    for heading, kind in _MEASURED:
        yield f"## {heading}", "", keys_of(kind)
    for name, kind in SEEDED.items():
        yield f"## `[{name}]`", _first_sentence(kind), [*keys_of(SeededTable), *keys_of(kind)]
    yield "### Views of `[mechanism]`", "", keys_of(ViewSettings)
    yield "## `[[claims]]`", "In a claim file `arm` and `bases` are tags.", keys_of(Claim, CLAIM_FIELDS)
    yield "### Conditions of a claim file", "", keys_of(ClaimedWorkload)
    for heading, kind in _GATED:
        yield f"## {heading}", "", keys_of(kind)


_MEASURED: tuple[tuple[str, type], ...] = (
    ("`[step_time]`", TimingTable),
    ("`[phases]`", PhasesTable),
    ("`[memory]`", MemoryTable),
    ("`[convergence]`", ConvergenceTable),
    ("`[convergence.targets.WORKLOAD]`", Target),
    ("`[directions]`", DirectionsTable),
    ("`[tuning]`", TuningTable),
)
_GATED: tuple[tuple[str, type], ...] = (
    ("`[gate]`", GateTable),
    ('`[gate.margins."WORKLOAD, ARM"]`', CellMargins),
    ('`[gate.quarantine."WORKLOAD, ARM"]`', Quarantine),
)


def settings_page() -> str:
    """Return the page."""
    lines = [head("settings.md")]
    for heading, sentence, keys in sections():
        lines += [f"\n{heading}\n", *([f"{sentence}\n"] if sentence else [])]
        lines += table(("key", "may be", "default", "unit", "meaning"), (key.row for key in keys)) if keys else []
    return "\n".join(lines) + "\n"


def _first_sentence(kind: Any) -> str:
    return " ".join((kind.__doc__ or "").split("\n\n")[0].split())
