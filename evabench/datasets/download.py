"""Getting a data set from where it was published: only when somebody asks, never in a run or a test."""

import tarfile
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

from evabench.datasets.catalogue import CATALOGUE, Remote
from evabench.datasets.files import check, reading, writing
from evabench.datasets.places import commands_for, download_folder, other_ways
from evabench.errors import DataError
from evabench.settings.datasets import DataName

_TIMEOUT_SECONDS = 60
_PIECE_BYTES = 1 << 20


def download(name: DataName) -> Path:
    """Download a data set and return the root it lies in. Raises `DataError` where it cannot be had or is damaged."""
    known = CATALOGUE[name]
    if not known.remotes:
        commands = "\n".join(f"  {command}" for command in commands_for(name))
        raise DataError(f"{known.title} has no plain address. " + (f"Get it with\n{commands}" if commands else ""))
    root = download_folder()
    for remote in known.remotes:
        fetch(remote, root, otherwise=other_ways(name))
    return root


def fetch(remote: Remote, root: Path, *, otherwise: str = "") -> None:
    """Download one file, check it, and put it in its place, or unpack it there.

    Raises `DataError` where it cannot be reached, with what to do otherwise; `OutputError` where it cannot be written.
    """
    path = root / remote.path
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        with writing(part), part.open("wb") as target:
            for piece in _pieces(remote.url, otherwise):
                target.write(piece)
        if remote.md5 is not None:
            check(remote.url, part.read_bytes(), remote.md5)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    if remote.unpack_into is not None:
        reading(path, lambda: _unpack(path, root / (remote.unpack_into or "")))


def _pieces(url: str, otherwise: str) -> Iterator[bytes]:
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as source:
            while piece := source.read(_PIECE_BYTES):
                yield piece
    except (OSError, HTTPException) as error:  # everything that urllib raises
        raise DataError(f"{url} cannot be reached: {error}. {otherwise}".rstrip()) from error


def _unpack(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as tar, writing(folder):
        tar.extractall(folder, filter="data")
