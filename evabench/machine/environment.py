"""Reads the versions of what takes part in a run, without torch."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version

from evabench.records.cell import Cell
from evabench.records.environment import Environment


def read_environment(cell: Cell) -> Environment:
    """Return the versions of torch and numpy, and of the packages that the settings of a cell name."""
    return environment_of(*cell.optimizer.packages, *cell.workload.packages)


@cache
def environment_of(*packages: str) -> Environment:
    """Return the versions of torch and numpy, and of these."""
    others = {name: package_version(name) for name in sorted(packages)}
    return Environment(torch=package_version("torch"), numpy=package_version("numpy"), others=others)


@cache
def package_version(package: str) -> str | None:
    """Return the version that is installed, None where there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
