"""Two JSON files of pytest-benchmark, beside each other: an *unpaired* comparison, which is said and never gates.

The rounds of one file were made in one process, one after the other, at another time than those of the other file. What
differs between the two moments cannot be told from what differs between the two codes: on a shared machine two runs of
one code differ by 7.5 % (sd), so no interval here could hold what it promises.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from evabench.errors import GateError
from evabench.units import Seconds

UNPAIRED = (
    "These times are unpaired: the two files were made one after the other, and what the machine did in between is in "
    "every ratio. No verdict rests on them. A paired answer: the fixture paired_benchmark, or evabench gate."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """One benchmark that both files have."""

    name: str
    base_seconds: Seconds  # medians of the rounds, or the medians that were stored
    head_seconds: Seconds

    @property
    def ratio(self) -> float:
        """Return head / base."""
        return self.head_seconds / self.base_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesBeside:
    """Two files, and what keeps them from being compared."""

    both: tuple[Beside, ...]
    base_only: tuple[str, ...]
    head_only: tuple[str, ...]
    warnings: tuple[str, ...]


def compare_files(base: Path, head: Path) -> FilesBeside:
    """Return the benchmarks of two files. Raises `GateError` where one is none of pytest-benchmark's."""
    one, other = _read(base), _read(head)
    before, after = dict(_medians(one, base)), dict(_medians(other, head))
    both = tuple(
        Beside(name=name, base_seconds=before[name], head_seconds=after[name]) for name in before if name in after
    )
    return FilesBeside(
        both=both,
        base_only=tuple(name for name in before if name not in after),
        head_only=tuple(name for name in after if name not in before),
        warnings=(UNPAIRED, *_differences(one, other)),
    )


def _read(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise GateError(f"{path}: it cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("benchmarks"), list):
        raise GateError(f"{path}: this is no file of pytest-benchmark: make one with --benchmark-json=FILE")
    return found


def _medians(file: Mapping[str, Any], path: Path) -> Iterator[tuple[str, Seconds]]:
    for number, one in enumerate(file["benchmarks"], start=1):
        try:
            stats = one["stats"]
            seconds = median(stats["data"]) if stats.get("data") else stats["median"]
            name = str(one["fullname"])
            if not (isinstance(seconds, int | float) and math.isfinite(seconds) and seconds > 0):
                raise ValueError
        except (KeyError, TypeError, ValueError, AttributeError):
            raise GateError(f"{path}: benchmark {number} has no name or no time above 0") from None
        yield name, float(seconds)


def _differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    """Yield what makes even the places differ."""
    for what, path in (("machines", ("node",)), ("processors", ("cpu", "brand_raw")), ("Pythons", ("python_version",))):
        found = [_dig(file.get("machine_info"), path) for file in (one, other)]
        if found[0] != found[1]:
            yield f"They are of different {what}: {found[0]} and {found[1]}."


def _dig(table: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        table = table.get(name) if isinstance(table, dict) else None
    return table
