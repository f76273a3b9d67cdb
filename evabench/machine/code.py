"""Reads what would be measured: the sources, their commit and the plug-ins, without torch."""

import hashlib
import importlib.util
import os
import subprocess
from collections.abc import Sequence
from functools import cache
from importlib.machinery import PathFinder
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import evabench
from evabench.records.host import Code
from evabench.settings.classifiers import STAND_IN_CHECKPOINT, ClassifierSettings
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.plugin_workloads import PluginWorkloadSettings
from evabench.settings.workloads import WorkloadSettings

_PEERS = ("asdfghjkl", "heavyball", "pytorch-optimizer", "singd")  # what takes part in the step of an adapter
_CHILD_SIDE = (
    "settings",
    "datasets",
    "records",
    "sampling.py",
    "optimizers",
    "workloads",
    "measurement",
    "nvml",
    "worker",
)


def read_code(optimizer: OptimizerSettings, workload: WorkloadSettings) -> Code:
    """Return what would be measured now, for one arm on one workload: plug-ins and a checkpoint are part of it."""
    commit, dirty = _git_state()
    plugins = [one.name for one in (optimizer, workload) if isinstance(one, PluginSettings | PluginWorkloadSettings)]
    hashes = [_plugin_hash(name) for name in plugins]
    if isinstance(workload, ClassifierSettings) and workload.checkpoint not in {None, STAND_IN_CHECKPOINT}:
        hashes.append(_file_hash(Path(str(workload.checkpoint))))
    return Code(
        version=evabench.__version__,
        commit=commit,
        dirty=dirty,
        sources=_sources_hash(),
        plugin=_together([one for one in hashes if one is not None]),
    )


def package_version(package: str) -> str | None:
    """Return the version that is installed, None where there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@cache
def _git_state() -> tuple[str | None, bool | None]:
    root = Path(evabench.__file__).parent.parent
    if not (root / ".git").exists():  # an installed package inside somebody else's checkout has no commit
        return None, None
    commit = _git(root, "rev-parse", "HEAD")
    status = _git(root, "status", "--porcelain")
    return commit, bool(status) if status is not None else None


def _git(root: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


@cache
def _sources_hash() -> str:
    package = Path(evabench.__file__).parent
    digest = hashlib.sha256()
    for folder in _CHILD_SIDE:
        place = package / folder
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            digest.update(str(path.relative_to(package)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _together(found: Sequence[str]) -> str | None:
    if len(found) < 2:
        return found[0] if found else None
    return hashlib.sha256(" ".join(found).encode()).hexdigest()[:16]


@cache
def _file_hash(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:16]
    except OSError:
        return None  # the child will say that it is not there


@cache
def _plugin_hash(name: str) -> str | None:
    place = name.rpartition(":")[0]
    if place.startswith("evabench.peers."):
        return _peers_hash()
    paths = [Path(place)] if place.endswith(".py") else _sources_of(place)
    digest = hashlib.sha256()
    try:
        for path in paths:
            digest.update(path.read_bytes())
    except OSError:
        return None  # the child will say that it is not there
    return digest.hexdigest()[:16] if paths else None


def _sources_of(module: str) -> list[Path]:
    """Return the file of a module, or all files of the package that it lies in; nothing is imported.

    It is looked for as the child does, whose folder comes first. Empty: it is not there.
    """
    top, *inner = module.split(".")
    try:
        found = PathFinder.find_spec(top, [os.getcwd()]) or importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return []
    folders = list(found.submodule_search_locations or ()) if found else []
    for name in inner:
        found = PathFinder.find_spec(name, folders) if folders else None
        folders = list((found and found.submodule_search_locations) or folders)
    if found is None:
        return []
    if folders:
        return sorted(path for folder in folders for path in Path(folder).rglob("*.py"))
    return [Path(found.origin)] if found.origin else []


def _peers_hash() -> str:
    """Return the hash of all adapters and of the versions of what they adapt."""
    digest = hashlib.sha256("".join(f"{name} {package_version(name)}\n" for name in _PEERS).encode())
    for path in sorted((Path(evabench.__file__).parent / "peers").glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
