"""A user's own optimizer or workload: "package.module:Name" or "path/to/file.py:Name". Runs in the child only."""

import importlib
import importlib.util
import inspect
import sys
from pathlib import Path
from typing import Any

from torch import nn
from torch.optim import Optimizer

from evabench.errors import PluginChangedError, SuiteError
from evabench.optimizers.matching import all_groups
from evabench.settings.plugin_files import PluginPlace, plugin_hash
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.plugin_workloads import PluginWorkloadSettings
from evabench.workloads.in_memory import AsTheyAre, InMemory
from evabench.workloads.user import OwnObjective, Task
from evabench.workloads.workload import Workload


def build_plugin(settings: PluginSettings, model: nn.Module) -> Optimizer:
    """Return the optimizer that the name stands for. Raises `SuiteError` where there is none."""
    make = find_plugin(settings.name, settings.lies)
    target: Any = model if settings.takes_model else model.parameters()
    if settings.groups:
        target = all_groups(model, settings.groups)
    optimizer = make(target, **settings.options)
    if not isinstance(optimizer, Optimizer):
        raise SuiteError(f'"{settings.name}" made a {type(optimizer).__name__}, which is no torch.optim.Optimizer')
    if not settings.closure and _needs_closure(optimizer):
        raise SuiteError(f'the step of "{settings.name}" needs a closure: give the arm closure = true')
    return optimizer


def _needs_closure(optimizer: Optimizer) -> bool:
    """Return whether a step without one is impossible; some that need one only say so when they step."""
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    return closure is not None and closure.default is inspect.Parameter.empty


def build_plugin_workload(settings: PluginWorkloadSettings, seed: int) -> Workload:
    """Return the workload of the task that the name makes. Raises `SuiteError` where it makes something else."""
    task = find_plugin(settings.name, settings.lies)(seed=seed, **settings.options)
    if not isinstance(task, Task):
        raise SuiteError(f'"{settings.name}" made a {type(task).__name__}, which is no evabench.workloads.user.Task')
    if len(task.train[0]) != settings.training_samples:
        raise SuiteError(
            f'"{settings.name}" has {len(task.train[0])} samples to train on, but its suite says '
            f"training_samples = {settings.training_samples}"
        )
    splits = {"train": task.train, "validation": task.validation, "test": task.test}
    source = InMemory(splits, AsTheyAre(), batch=settings.batch, seed=seed)
    return Workload(task.model, OwnObjective(task), source, task.trivial_levels)


def find_plugin(name: str, lies: PluginPlace | None = None) -> Any:
    """Import what `name` points at. Raises `PluginChangedError` where it is not what it was when the suite was read."""
    place, _, attribute = name.rpartition(":")
    folder = Path(lies.folder) if lies else Path.cwd()
    module = _load_file(folder / place) if place.endswith(".py") else _import_module(place, name, folder)
    if lies and plugin_hash(name, folder) != lies.hash:
        raise PluginChangedError(f'"{name}" was changed after the suite had been read: run the command again')
    try:
        return getattr(module, attribute)
    except AttributeError:
        public = ", ".join(sorted(entry for entry in vars(module) if not entry.startswith("_")))
        raise SuiteError(f'"{name}": {place} has no {attribute}. It has: {public}') from None


def _import_module(place: str, name: str, folder: Path) -> Any:
    _make_importable(folder)
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError as error:
        if not f"{place}.".startswith(f"{error.name}."):
            raise  # it is there, and lacks something itself
        raise SuiteError(
            f'"{name}": no module {error.name} is installed for {sys.executable}, nor in {folder}. '
            f'Install its package there, or name a file, "path/to/file.py:Name"'
        ) from None


def _load_file(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.exists():
        raise SuiteError(f"there is no plug-in file {path}: a path is seen from the folder of the suite's file")
    module = importlib.util.module_from_spec(spec)
    _make_importable(path.resolve().parent)
    spec.loader.exec_module(module)
    return module


def _make_importable(folder: Path) -> None:
    """Let a plug-in import what lies beside it. Behind all else: a `random.py` there hides nothing."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
