"""The two sides of a gate: which code each one runs, and its launch servers.

The folders of both sides have names of one length, so that no path in memory is longer on one side. What is measured
comes from the folders; what measures depends on the project:

    evabench itself     each side's own package, where both speak the protocol of this one; with `own_harness=False`
                        this package on both sides, with `optimizers/` and the settings it imports from each folder
    any other project   this package on both sides; the folders are ahead of all that is installed
"""

import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import evabench
from evabench.errors import GateError, IncomparableError
from evabench.gate.pairs import SIDES, Side
from evabench.launch.launcher import Launch, Launcher
from evabench.launch.server import LaunchServer
from evabench.records.cell import Cell
from evabench.records.request import PROTOCOL, ChildReply, Imported, Request, read_imported
from evabench.settings.plugin_files import PluginPlace, plugin_files, plugin_hash
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.plugin_workloads import PluginWorkloadSettings

PACKAGE = Path(evabench.__file__).parent
_START = Path("worker/start.py")
_OF_AN_OPTIMIZER = "optimizer: Literal["
_PROTOCOL = re.compile(r"^PROTOCOL = (\d+)", re.M)


@dataclass(frozen=True, slots=True, kw_only=True)
class SideCode:
    """What one side runs."""

    title: str  # for people: "main (8329be589)"
    folder: Path  # of the checkout
    package: Path  # the evabench that measures
    ahead: tuple[Path, ...] = ()  # folders of another project, ahead of what is installed
    python: str

    def cell(self, cell: Cell, suite_folder: Path | None) -> Cell:
        """Return a cell whose plug-ins are those of this side. `suite_folder` is seen from the checkout."""
        if suite_folder is None:
            return cell
        optimizer, workload = cell.optimizer, cell.workload
        if isinstance(optimizer, PluginSettings) and optimizer.lies:
            optimizer = replace(optimizer, lies=self._place(optimizer.name, suite_folder))
        if isinstance(workload, PluginWorkloadSettings) and workload.lies:
            workload = replace(workload, lies=self._place(workload.name, suite_folder))
        return replace(cell, optimizer=optimizer, workload=workload)

    def finds(self, name: str, suite_folder: Path) -> bool:
        """Return whether a plug-in's name leads into the checkout, and not to what is installed."""
        found = plugin_files(name, self.folder / suite_folder, self.ahead)
        return any(path.resolve().is_relative_to(self.folder.resolve()) for path in found)

    def _place(self, name: str, suite_folder: Path) -> PluginPlace:
        folder = self.folder / suite_folder
        return PluginPlace(folder=str(folder), hash=plugin_hash(name, folder, self.ahead))


class Start(Protocol):
    """Starts one launch server; in tests a fake."""

    def __call__(self, *, layout_seed: str, python: str, expected: Imported | None, path: Sequence[Path]) -> Launcher:
        """Start it, and do not wait for it."""


class SideServers:
    """A server of each side, exec'd at the same time: one launcher, of which a side is chosen for each request."""

    def __init__(self, servers: Mapping[Side, Launcher]) -> None:
        self._servers = servers
        self._open = ExitStack()

    def on(self, side: Side) -> Launcher:
        """Return the server of one side."""
        return self._servers[side]

    def perform(self, request: Request) -> ChildReply:
        """Make a run of the head."""
        return self.on("head").perform(request)

    def abandon(self) -> None:
        """End what is made now."""
        for server in self._servers.values():
            server.abandon()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for server in self._servers.values():
                stack.enter_context(server)
            self._open = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Both sides. Called with a layout seed it starts a server of each, and so it is a `Launch`."""

    base: SideCode
    head: SideCode
    start: Start = field(default=LaunchServer)

    def on(self, side: Side) -> SideCode:
        """Return the code of one side."""
        return self.base if side == "base" else self.head

    def __call__(self, *, layout_seed: str) -> SideServers:
        """Start both servers at the same time, with one layout seed."""
        return SideServers({side: self.launch_one(side, layout_seed) for side in SIDES})

    def launch_of(self, side: Side) -> Launch:
        """Return what starts servers of one side alone."""

        def launch(*, layout_seed: str) -> Launcher:
            return self.launch_one(side, layout_seed)

        return launch

    def launch_one(self, side: Side, layout_seed: str) -> Launcher:
        """Start a server of one side."""
        code = self.on(side)
        return self.start(
            layout_seed=layout_seed,
            python=code.python,
            expected=read_imported(code.package),
            path=code.ahead,
        )

    def swapped(self) -> "Sides":
        """Swap the two folders on the disk, and return the sides that lie where the other one was."""
        one, other = self.base.folder, self.head.folder
        if one == other:  # a self-test in place: nothing of the user's is moved
            return self
        aside = one.with_name(f"{one.name}-aside")
        one.rename(aside)
        other.rename(one)
        aside.rename(other)
        return replace(self, base=_moved(self.base, other), head=_moved(self.head, one))


def _moved(code: SideCode, folder: Path) -> SideCode:
    def moved(path: Path) -> Path:
        return folder / path.relative_to(code.folder) if path.is_relative_to(code.folder) else path

    return replace(code, folder=folder, package=moved(code.package), ahead=tuple(map(moved, code.ahead)))


def is_evabench(folder: Path) -> bool:
    """Return whether a checkout is one of evabench itself."""
    return (folder / PACKAGE.name / _START).is_file()


def own_code(folder: Path, title: str, python: str) -> SideCode:
    """Return a side of evabench itself, measured by its own package, which must speak this protocol."""
    package = folder / PACKAGE.name
    spoken = protocol_of(package)
    if spoken != PROTOCOL:
        raise IncomparableError(
            f"{title} speaks protocol {spoken or 'none that has a number'}, and the evabench that runs this gate "
            f"({evabench.__version__}) protocol {PROTOCOL}: its own code cannot be asked. With --harness this the "
            "optimizers of both sides are measured by this evabench, and nothing else of the change is"
        )
    return SideCode(title=title, folder=folder, package=package, python=python)


def with_this_harness(folder: Path, title: str, python: str) -> SideCode:
    """Return a side whose `optimizers/`, and the settings that these import, are measured by this package.

    The package of the checkout is replaced by a copy of this one with these files of the checkout's in it.
    """
    package, theirs = folder / PACKAGE.name, folder / "evabench-as-it-was"
    package.rename(theirs)
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", "optimizers"))
    shutil.copytree(theirs / "optimizers", package / "optimizers")
    for settings in _settings_of(theirs):
        shutil.copy(theirs / settings, package / settings)
    return SideCode(title=title, folder=folder, package=package, python=python)


def other_project(folder: Path, title: str, python: str) -> SideCode:
    """Return a side of any other project: its checkout is ahead of what is installed."""
    ahead = tuple(place for place in (folder / "src", folder) if place.is_dir())
    return SideCode(title=title, folder=folder, package=PACKAGE, ahead=ahead, python=python)


def protocol_of(package: Path) -> int | None:
    """Return the protocol that a package speaks; None: it has none with a number."""
    try:
        found = _PROTOCOL.search((package / "records/request.py").read_text(encoding="utf-8"))
    except OSError:
        return None
    return int(found[1]) if found else None


def _settings_of(package: Path) -> list[Path]:
    """Return the settings of single optimizers that the optimizers of a package import by name."""
    if not (package / "optimizers").is_dir():
        raise GateError(f"{package} has no optimizers/: nothing of it can be measured by another evabench")
    named = re.compile(r"^from evabench\.settings\.(\w+) import", re.M)
    found = {
        name
        for path in (package / "optimizers").rglob("*.py")
        for name in named.findall(path.read_text(encoding="utf-8"))
    }
    places = (Path("settings") / f"{name}.py" for name in sorted(found))
    both = [place for place in places if (package / place).is_file() and (PACKAGE / place).is_file()]
    # Of an optimizer's own: what all settings share has names that this harness needs.
    return [place for place in both if _OF_AN_OPTIMIZER in (package / place).read_text(encoding="utf-8")]
