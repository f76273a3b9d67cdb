"""Reads the versions of what takes part in a run, without torch."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def package_version(package: str) -> str | None:
    """Return the version that is installed, None where there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
