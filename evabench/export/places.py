"""Files, and folders of them, that runs are stored in."""

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from evabench.errors import StoreError
from evabench.records.run import Run
from evabench.store.files import RunStore

_MAX_FAULTS = 3  # that are told


class NotUsedWarning(UserWarning):
    """Lines of a file of runs that are not used, and why."""


def run_files(places: Sequence[Path]) -> tuple[Path, ...]:
    """Return the files of runs at some places, each once: a file itself, or those called `*runs.jsonl` below a folder.

    Raises `StoreError` where a place does not exist or has no runs.
    """
    found: dict[Path, None] = {}
    for place in places:
        files = [place] if os.path.isfile(place) else sorted(_below(place))
        if not files:
            is_folder = os.path.isdir(place)
            what = "there is no file of runs in this folder" if is_folder else "there is no such file or folder"
            raise StoreError(f"{place}: {what}. Runs lie in results/SUITE/HOST/runs.jsonl")
        found.update(dict.fromkeys(files))
    return tuple(found)


def stored_runs(file: Path) -> tuple[Run, ...]:
    """Return the runs of a file, of several attempts at one the last, and warn of lines that are not used.

    Raises `StoreError` where it is no such file.
    """
    stored = RunStore(file).read()
    for note in (*stored.faults, *filter(None, [stored.torn])):
        warnings.warn(note, NotUsedWarning, stacklevel=2)
    return stored.entries


def with_faults(message: str, files: Iterable[Path]) -> str:
    """Return why files have no run that was asked for, with what is wrong in them: a run may be in a bad line."""
    told = [note for file in files for note in RunStore(file).read().notes]
    more = [f"and {len(told) - _MAX_FAULTS} more faults of these files"] if len(told) > _MAX_FAULTS else []
    return "\n".join([message, *told[:_MAX_FAULTS], *more])


def _below(folder: Path) -> Iterator[Path]:
    if os.path.isdir(folder):  # not the methods, which fall over a name that is too long
        yield from (path for path in folder.rglob("*runs.jsonl") if path.is_file())
