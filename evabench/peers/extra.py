"""The packages of the extra `peers`: imported where an arm asks for one."""

import importlib
import warnings
from typing import Any

from evabench.errors import SuiteError

# Imported as -> installed as.
PACKAGES = {
    "asdl": "asdfghjkl",
    "heavyball": "heavyball",
    "pytorch_optimizer": "pytorch-optimizer",
    "singd": "singd",
}


def import_peer(module: str) -> Any:
    """Import a module of one of the packages. Raises `SuiteError` with the way out where it is not installed."""
    package = module.partition(".")[0]
    try:
        with warnings.catch_warnings(action="ignore", category=FutureWarning):  # nothing that a user here could heed
            return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != package:
            raise  # it is there, and lacks something itself
        raise SuiteError(
            f"{PACKAGES[package]}, which this arm runs, is not installed: pip install 'evabench[peers]'"
        ) from error
