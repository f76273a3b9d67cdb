"""Where what a suite names lies, as seen from its file: plug-ins, which are hashed here once per call, and trials."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from evabench.errors import SuiteError
from evabench.settings.plugin_files import PluginPlace, plugin_hash
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.plugin_workloads import PluginWorkloadSettings
from evabench.suite.suite import Suite
from evabench.suite.tables import Measurements

T = TypeVar("T")


def located(suite: Suite, folder: Path) -> Suite:
    """Return a suite whose plug-ins know the folder of its file, and the hash of what they are now."""
    folder = folder.resolve()
    return replace(
        suite,
        arms=_located("arms", suite.arms, folder),
        workloads=_located("workloads", suite.workloads, folder),
        measurements=_with_trials(suite.measurements, folder),
        tiers={
            name: replace(tier, measurements=_with_trials(tier.measurements, folder))
            for name, tier in suite.tiers.items()
        },
    )


def _with_trials(measurements: Measurements, folder: Path) -> Measurements:
    tuning = measurements.tuning
    if tuning is None or tuning.trials is None:
        return measurements
    return replace(measurements, tuning=replace(tuning, trials=str(folder / tuning.trials)))


def _located(table: str, settings: Mapping[str, T], folder: Path) -> dict[str, T]:
    return {name: _one(f"[{table}.{name}]", one, folder) for name, one in settings.items()}


def _one(place: str, settings: Any, folder: Path) -> Any:
    if not isinstance(settings, PluginSettings | PluginWorkloadSettings):
        return settings
    if settings.lies is not None:
        raise SuiteError(f"{place} has no setting lies")
    if settings.name.startswith("evabench."):  # part of the package, which is hashed by its imports
        return settings
    return replace(settings, lies=PluginPlace(folder=str(folder), hash=plugin_hash(settings.name, folder)))
