"""Files for people and other programs: written whole, or what was there stays. Half a page looks like a whole one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a path to write to, which becomes the file when all is written. Makes its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.parent / f".part-{path.name}"  # the ending stays: pandas reads it
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
