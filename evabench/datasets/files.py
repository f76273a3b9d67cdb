"""Bytes of files and archives, with their checksums: a damaged one is an error that says what to delete."""

import gzip
import hashlib
import lzma
import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TypeVar

from evabench.errors import DataError, cannot_write

T = TypeVar("T")
_DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile)


def plain_or_gz(folder: Path, name: str) -> Path:
    """Return the path of `name` in a folder, of `name.gz` where there is no such file."""
    plain = folder / name
    return plain if plain.exists() else folder / f"{name}.gz"


def read_unzipped(path: Path) -> bytes:
    """Return the content of a file, of a `.gz` unzipped. Raises `DataError` where it cannot be read."""
    return reading(path, lambda: gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())


def read_members(archive: Path, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """Return the wanted members of a .tgz or a .whl by name, in the archive's order. Nothing is unpacked to disk."""
    return reading(archive, lambda: _members(archive, wanted))


def check(path: Path | str, content: bytes, md5: str) -> bytes:
    """Return the content. Raises `DataError` where it is not the published file."""
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != md5:
        raise not_published(path, "md5", found, md5)
    return content


def check_archive(archive: Path, sha256: str | None) -> Path:
    """Return the archive. Raises `DataError` where it is not the published file."""
    if sha256 is not None:
        found = reading(archive, lambda: _sha256(archive))
        if found != sha256:
            raise not_published(archive, "sha256", found, sha256)
    return archive


def not_published(path: Path | str, kind: str, found: str, expected: str) -> DataError:
    """Return the error for a file that is not the published one."""
    return DataError(
        f"{path} is not the published file: {kind} {found}, expected {expected}. Delete it and get the data set again."
    )


def reading(path: Path, read: Callable[[], T]) -> T:
    """Return what `read` returns. Raises `DataError` where the file is missing, truncated or no archive."""
    try:
        return read()
    except _DAMAGED as error:
        raise DataError(f"{path} cannot be read: {error}. Delete it and get the data set again.") from error


def made_once(path: Path, make: Callable[[Path], None]) -> Path:
    """Return a file or folder that is generated: `make` writes it the first time, beside its place, and it is renamed.

    Several runs may ask at once: each makes its own, and one of them stays. Raises `OutputError` where it cannot be
    written: the arm whose run asked first is not to blame.
    """
    if path.exists():
        return path
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".making-") as folder:
            made = Path(folder) / path.name
            make(made)
            try:
                os.replace(made, path)
            except OSError:  # a folder that somebody else has put there meanwhile
                shutil.rmtree(made)
    return path


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raise `OutputError` where the system refuses to write. An error without a number is not the system's."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise cannot_write(path, error, "choose another: export XDG_CACHE_HOME=FOLDER, or EVABENCH_DATA") from error


@cache
def _sha256(archive: Path) -> str:
    with archive.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _members(archive: Path, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            return {name: opened.read(name) for name in opened.namelist() if wanted(name)}
    found = {}
    with tarfile.open(archive, "r:*") as tar:
        for member in tar:
            file = tar.extractfile(member) if wanted(member.name) else None
            if file is not None:
                found[member.name] = file.read()
    return found
