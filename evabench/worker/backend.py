"""The door for a backend of torch that is no installed package: EVABENCH_DEVICE_BACKEND names what registers it.

An installed backend needs no such door: torch imports the entry points `torch.backends` by itself. The variable holds a
module's name or a file's path; it is imported before anything else of torch is used, in the launch server, so that its
children find the device. It may start no thread.
"""

import importlib
import importlib.util
import os
import sys
from pathlib import Path

VARIABLE = "EVABENCH_DEVICE_BACKEND"
_NAME = "evabench_device_backend"  # of a file, as a module


def load_named_backend() -> None:
    """Import what the environment names; nothing where it names none."""
    named = os.environ.get(VARIABLE)
    if named:
        load_backend(named)


def load_backend(named: str) -> None:
    """Import a module, or a file whose name ends in ".py"."""
    if not named.endswith(".py"):
        importlib.import_module(named)
        return
    spec = importlib.util.spec_from_file_location(_NAME, Path(named))
    if spec is None or spec.loader is None:
        raise ImportError(f"{VARIABLE}={named} is no file that Python can import")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = module
    spec.loader.exec_module(module)
