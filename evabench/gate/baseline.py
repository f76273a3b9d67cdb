"""The committed baseline of a suite: counters that a change must not raise unless the same change says so.

It lies beside the suite's file, `SUITE.baseline.json`, one counter a line, so that its own diff is what a reviewer
reads. Portable counters stand once; keyed ones stand under the torch version and CPU capability that they are from.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from evabench.errors import GateError, cannot_write
from evabench.gate.counters import PORTABLE, Number, Values, kind_of
from evabench.records.codec import decode, encode, first_mistake
from evabench.settings.strict import Strict

Cells = Mapping[str, Mapping[str, Number]]  # counters by cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline(Strict):
    """What the counters of a suite are allowed to be.

    1   2026-11-26   the first
    """

    schema: Literal[1] = 1
    suite: str
    portable: Cells = field(default_factory=dict)
    keyed: Mapping[str, Cells] = field(default_factory=dict)  # by "torch VERSION, CPU"

    def with_counted(self, counted: Mapping[str, Values], key: str) -> "Baseline":
        """Return the baseline with the counters of now. Cells that are not counted any more leave it."""
        portable = {
            cell: {name: values[name] for name in _of(values, portable=True)} for cell, values in counted.items()
        }
        keyed = {cell: {name: values[name] for name in _of(values, portable=False)} for cell, values in counted.items()}
        return replace(self, portable=portable, keyed={**self.keyed, key: keyed})

    def missing(self, cells: Mapping[str, Values]) -> list[str]:
        """Return the rows of portable counters that were counted and are not here, or the reverse, as sentences."""
        found = []
        for cell, values in cells.items():
            row = self.portable.get(cell, {})
            counted, known = set(_of(values, portable=True)), set(row)
            found += [f"{cell}: the baseline has no {name}" for name in sorted(counted - known)]
            found += [f"{cell}: {name} was not counted, and the baseline has it" for name in sorted(known - counted)]
        return found


def baseline_path(suite_file: Path) -> Path:
    """Return where the baseline of a suite's file lies."""
    return suite_file.with_suffix(".baseline.json")


def read_baseline(path: Path) -> Baseline | None:
    """Return the baseline of a file, None where there is none. Raises `GateError` for one that cannot be read."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise GateError(f"{path}: the baseline cannot be read: {error.strerror}") from None
    try:
        return decode(Baseline, text)
    except ValidationError as error:
        raise GateError(
            f"{path}: this is no baseline: {first_mistake(error)}. Make it anew: evabench gate --refresh-baseline"
        ) from None


def write_baseline(path: Path, baseline: Baseline) -> None:
    """Write the baseline, one counter a line: whole, or the one before stays."""
    aside = path.with_name(f"{path.name}.new")
    try:
        aside.write_text(json.dumps(json.loads(encode(Baseline, baseline)), indent=1, sort_keys=True) + "\n")
        aside.replace(path)
    except OSError as error:
        raise cannot_write(path, error, "make its folder one that you may write to") from None
    finally:
        aside.unlink(missing_ok=True)


def baseline_diff(before: Baseline | None, after: Baseline) -> list[str]:
    """Return what refreshing changes, one counter a line, to be read before it is committed."""
    old = before or Baseline(suite=after.suite)
    lines = _cells_diff("", old.portable, after.portable)
    for key, cells in after.keyed.items():
        if cells != old.keyed.get(key):
            lines += _cells_diff(f" ({key})", old.keyed.get(key, {}), cells)
    return lines


def _cells_diff(key: str, before: Cells, after: Cells) -> list[str]:
    lines = []
    for cell in dict.fromkeys((*before, *after)):
        old, new = before.get(cell, {}), after.get(cell, {})
        for name in dict.fromkeys((*old, *new)):
            if old.get(name) != new.get(name):
                lines.append(f"{cell}: {name}{key}: {old.get(name, 'nothing')} -> {new.get(name, 'nothing')}")
    return lines


def _of(values: Values, *, portable: bool) -> list[str]:
    """Return the names that a baseline keeps: what can fail. What is shown explains, and no more."""
    return [name for name in values if (name in PORTABLE) is portable and kind_of(name).rule != "shown"]
