"""Reads what would be measured: the sources, their commit and what is the user's own, without torch."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import evabench
from evabench.machine.sources import hashes_of
from evabench.records.cell import Cell
from evabench.records.code import Code
from evabench.records.run import Run
from evabench.settings.classifiers import STAND_IN_CHECKPOINT, ClassifierSettings
from evabench.settings.plugin_files import plugin_hash
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.plugin_workloads import PluginWorkloadSettings


def read_code(cell: Cell) -> Code:
    """Return what would be measured now for a cell."""
    commit, dirty = _git_state()
    hashes = hashes_of(cell) | dict(_own(cell))
    return Code(version=evabench.__version__, commit=commit, dirty=dirty, hashes=hashes)


def is_of_this_code(run: Run) -> bool:
    """Return whether a run was made by the code that lies here."""
    return run.code.identity == read_code(run.cell).identity


def _own(cell: Cell) -> Iterator[tuple[str, str]]:
    """Yield the hashes of a user's files. One that is not there has none: the child will say so."""
    found: dict[str, str | None] = {}
    if isinstance(cell.optimizer, PluginSettings) and not cell.optimizer.name.startswith("evabench."):
        found["plug-in optimizer"] = _plugin_hash(cell.optimizer)
    if isinstance(cell.workload, PluginWorkloadSettings):
        found["plug-in workload"] = _plugin_hash(cell.workload)
    if isinstance(cell.workload, ClassifierSettings) and cell.workload.checkpoint not in {None, STAND_IN_CHECKPOINT}:
        found["checkpoint"] = _file_hash(Path(str(cell.workload.checkpoint)))
    return ((name, one) for name, one in found.items() if one is not None)


@cache
def _git_state() -> tuple[str | None, bool | None]:
    root = Path(evabench.__file__).parent.parent
    # An installed package inside somebody else's checkout has no commit, nor has one that was put beside its files.
    if not (root / ".git").exists() or _git(root, "ls-files", "--error-unmatch", evabench.__file__) is None:
        return None, None
    commit = _git(root, "rev-parse", "HEAD")
    status = _git(root, "status", "--porcelain")
    return commit, bool(status) if status is not None else None


def _git(root: Path, *words: str) -> str | None:
    # Inside of a hook, git's own variables name the repository of the hook, whatever folder is asked for.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment["GIT_OPTIONAL_LOCKS"] = "0"  # `status` would write the index
    command = ["git", "-C", str(root), *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


@cache
def _file_hash(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:16]
    except OSError:
        return None


def _plugin_hash(settings: PluginSettings | PluginWorkloadSettings) -> str | None:
    return settings.lies.hash if settings.lies else plugin_hash(settings.name, Path.cwd())
