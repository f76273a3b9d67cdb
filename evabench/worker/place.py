"""Where the measured code failed: the line of the user's own, which torch's and evabench's lines hide."""

import sys
import sysconfig
import traceback
from pathlib import Path

import torch

import evabench

_OURS = Path(evabench.__file__).parent
_HIDDEN = (str(Path(torch.__file__).parent), sysconfig.get_path("stdlib"), "<frozen ")
_INSTALLED = tuple(f"{folder}/" for folder in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))


def place_of(error: BaseException) -> str | None:
    """Return "mine.py, line 40, in step", the innermost line of a plug-in or an adapter; None: it is not in one."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if _is_measured(frame.filename):
            return f"{_short(frame.filename)}, line {frame.lineno}, in {frame.name}"
    return None


def _is_measured(file: str) -> bool:
    if Path(file).is_relative_to(_OURS):
        return Path(file).is_relative_to(_OURS / "peers")
    # An installed package lies below the standard library's folder, torch in the one of installed packages.
    return not file.startswith(_HIDDEN[0]) and (file.startswith(_INSTALLED) or not file.startswith(_HIDDEN[1:]))


def _short(file: str) -> str:
    """Return a path as it is seen from where it was imported: the rest of it is of this machine."""
    found = [entry for entry in sys.path if entry and Path(file).is_relative_to(entry)]
    return str(Path(file).relative_to(max(found, key=len))) if found else Path(file).name
