"""What a gate is asked: a suite with its cells, and both sides laid out on the disk."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from evabench.errors import GateError
from evabench.gate.baseline import baseline_path
from evabench.gate.pairs import Side
from evabench.gate.report import Harness, Quarantined
from evabench.gate.repository import Repository, Revision
from evabench.gate.rules import (
    CPU_FLOOR_SECONDS,
    GPU_FLOOR_SECONDS,
    OWN_TIME,
    STEP,
    Margins,
    Test,
    TimedLayer,
)
from evabench.gate.sides import PACKAGE, SideCode, Sides, is_evabench, other_project, own_code, with_this_harness
from evabench.gate.timed import TimedCell
from evabench.records.cell import Cell
from evabench.records.measurement import StepTimeSettings
from evabench.records.request import read_imported
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.plugin_workloads import PluginWorkloadSettings
from evabench.suite.gate import CellMargins, GateTable, cell_name
from evabench.suite.reading import read_suite
from evabench.suite.suite import Suite

SIDE_FOLDERS = {"base": "side-a", "head": "side-b", "copy": "side-c"}  # names of one length
# What no run rests on. Anything else of another project may be read by one.
_WORDS_ONLY = (".md", ".rst", ".txt", ".license", ".cff", ".yml", ".yaml", ".gitignore")


@dataclass(frozen=True, slots=True, kw_only=True)
class GatedSuite:
    """A suite that has [gate]."""

    suite: Suite
    file: Path  # as the user has it: its baseline lies beside it
    folder: Path | None  # of the file, seen from a checkout; None: no plug-in of it lies anywhere

    @property
    def table(self) -> GateTable:
        """Return [gate]."""
        assert self.suite.gate is not None
        return self.suite.gate

    @property
    def baseline(self) -> Path:
        """Return where its counters lie."""
        return baseline_path(self.file)

    def baseline_of(self, code: SideCode, project: Path) -> Path:
        """Return where the counters of a side lie: in its checkout, where the suite's file lies in the project."""
        if not self.file.is_relative_to(project.resolve()):
            return self.baseline
        return code.folder / self.baseline.relative_to(project.resolve())

    def cells(self) -> dict[str, Cell]:
        """Return every cell that is counted, by name."""
        suite = self.suite
        names = [(cell_name(workload, arm), workload, arm) for workload in suite.workloads for arm in suite.arms]
        return {
            name: suite.one_cell(workload, arm, StepTimeSettings())
            for name, workload, arm in names
            if name not in self.table.not_counted or name in self.table.gated
        }

    def counted_on(self, code: SideCode) -> dict[str, Cell]:
        """Return the cells that are counted, as a side has them."""
        return {
            name: code.cell(cell, self.folder)
            for name, cell in self.cells().items()
            if name not in self.table.not_counted
        }

    def timed(self, sides: Sides, noises: Mapping[tuple[str, TimedLayer], float]) -> list[TimedCell]:
        """Return the cells that are timed. `noises` are those that were stored, of cell and layer."""
        cells = self.cells()
        num_tests = 2 * len(self.table.gated)
        return [
            TimedCell(
                name=name,
                cells={side: sides.on(side).cell(cells[name], self.folder) for side in ("base", "head")},
                tests={
                    layer: Test(
                        margins=_margins(layer, self.table.margins.get(name)),
                        floor_seconds=CPU_FLOOR_SECONDS if self.suite.device == "cpu" else GPU_FLOOR_SECONDS,
                        num_tests=num_tests,
                        stored_noise=noises.get((name, layer)),
                    )
                    for layer in ("own_time", "step")
                },
            )
            for name in self.table.gated
        ]

    def quarantined(self, today: date) -> tuple[Quarantined, ...]:
        """Return the cells that fail nothing, and those that did until a day that is over."""
        return tuple(
            Quarantined(cell=name, reason=one.reason, until=one.until, expired=not one.holds_on(today))
            for name, one in self.table.quarantine.items()
        )


def _margins(layer: TimedLayer, own: CellMargins | None) -> Margins:
    usual = STEP if layer == "step" else OWN_TIME
    asked = getattr(own, layer) if own else None
    return usual if asked is None else Margins(least=asked, most=max(asked, usual.most))


def read_gated_suite(place: str, project: Path, device: str | None = None) -> GatedSuite:
    """Return a suite that has [gate]: a file, as seen from the call or the project, or the name of one that ships.

    `device` is the kind that takes the place of the suite's own.

    Raises `GateError` where it has no such table, and `SuiteError` as `read_suite` does.
    """
    candidates = (Path(place), project / place, project / "suites" / f"{place}.toml")
    found = next((path for path in candidates if os.path.isfile(path)), None)
    if found is None:
        from evabench.suite.shipped import shipped_suites

        found = shipped_suites().get(place)
    suite = read_suite(str(found or place))
    if suite.gate is None or found is None:
        raise GateError(f"the suite {suite.name} has no table [gate]: name the cells that a change is timed on, there")
    file = found.resolve()
    plugins = any(isinstance(one, PluginSettings) for one in suite.arms.values()) or any(
        isinstance(one, PluginWorkloadSettings) for one in suite.workloads.values()
    )
    inside = file.is_relative_to(project.resolve())
    folder = (file.parent.relative_to(project.resolve()) if inside else file.parent) if plugins else None
    return GatedSuite(suite=replace(suite, device=device or suite.device), file=file, folder=folder)


def check_names_lead_into(gated: GatedSuite, code: SideCode) -> None:
    """Raise `GateError` where no plug-in of the suite comes from the checkout: both sides would be the same code."""
    names = [one.name for one in gated.suite.arms.values() if isinstance(one, PluginSettings)]
    names += [one.name for one in gated.suite.workloads.values() if isinstance(one, PluginWorkloadSettings)]
    if not names:
        raise GateError(
            f"the suite {gated.suite.name} names no plug-in: nothing of it comes from the project, and both sides "
            'would be the same. Give an arm optimizer = "plugin", or a workload workload = "plugin"'
        )
    if not any(code.finds(name, gated.folder or Path()) for name in names):
        raise GateError(
            f"none of {', '.join(names)} lies in {code.title}: both sides would be what is installed. A module is "
            "looked for in src/ and at the top of the project"
        )


def lay_sides(repository: Repository, folder: Path, base: Revision, head: Revision) -> dict[str, Path]:
    """Write both sides, and a second copy of the base, into folders with names of one length; return them."""
    places = {name: folder / each for name, each in SIDE_FOLDERS.items()}
    for name, revision in (("base", base), ("head", head), ("copy", base)):
        repository.lay_out(revision, places[name])
    return places


def codes_of(
    places: Mapping[str, Path], titles: Mapping[str, str], harness: Harness, pythons: Mapping[Side, str]
) -> dict[str, SideCode]:
    """Return what each folder runs. Raises `IncomparableError` where its own code cannot be asked."""
    make = other_project
    if is_evabench(places["head"]):
        make = own_code if harness == "own" else with_this_harness
    return {
        name: make(place, titles[name], pythons["head" if name == "head" else "base"]) for name, place in places.items()
    }


def why_untouched(sides: Sides, changed: Iterable[str], *, evabench: bool) -> str | None:
    """Return why nothing that is measured was touched, None where something may have been."""
    if evabench:
        same = read_imported(sides.base.package).sources == read_imported(sides.head.package).sources
        return "The change touches nothing that runs in a measurement." if same else None
    others = [name for name in changed if not name.lower().endswith(_WORDS_ONLY)]
    return None if others else "The change touches no file that code could be: documents and settings of services only."


def measuring_code_differs(sides: Sides) -> bool:
    """Return whether files differ that measure: all that runs in a child, but the optimizers and their settings."""
    if PACKAGE in (sides.base.package, sides.head.package):
        return False
    return _harness_of(sides.base.package) != _harness_of(sides.head.package)


def _harness_of(package: Path) -> dict[str, bytes]:
    parts = (
        "errors.py",
        "units.py",
        "sampling.py",
        "records",
        "datasets",
        "nvml",
        "workloads",
        "measurement",
        "worker",
    )
    found = {}
    for part in parts:
        place = package / part
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            found[str(path.relative_to(package))] = path.read_bytes()
    return found
