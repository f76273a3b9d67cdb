"""docs/gpu.md and docs/optimizer-cost.md: what was measured on an H100, from the lines of `make gpu-check`."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from tools.docs_figures.page import Computed, ComputedTable, ComputedWords
from tools.docs_figures.stored import REFERENCE

PAGE = "gpu.md"
_FILES = {"first": "gpu-h100/gpu-check.jsonl", "second": "gpu-h100/second/gpu-check.jsonl"}
_NETS = {"autoencoder": "autoencoder, b1000", "resnet": "ResNet-32, b128"}
_ARMS = ("SGD, fused", "AdamW", "Eva", "Eva-f", "Eva-s", "M-FAC", "K-FAC@10", "K-FAC@1", "FOOF@10", "Shampoo@10")


def computed() -> Iterator[Computed]:
    """Yield the tables of costs and of launches, and the figures of the second run."""
    yield ComputedTable(
        page=PAGE,
        heading=("arm", "autoencoder, b1000: first run", "second run", "ResNet-32, b128: first run", "second run"),
        rows=[(arm, *(_cost(run, net, arm) for net in _NETS for run in _FILES)) for arm in _ARMS],
    )
    for net, words in (("autoencoder, b1000", "autoencoder, batch 1000"), ("ResNet-32, b128", "ResNet-32, batch 128")):
        beyond = {run: _launches(run, net) for run in _FILES}
        told = " | ".join(f"Eva {one['Eva']}, Eva-f {one['Eva-f']}" for one in beyond.values())
        yield ComputedWords(page=PAGE, text=f"kernels beyond SGD's, {words} | {told}")
    yield ComputedWords(page=PAGE, text=f"tests marked cuda | {_failed('first')} | {_failed('second')}")
    yield ComputedWords(page=PAGE, text=f"largest difference {_largest_difference():.1e}")
    yield from _busy()
    yield from _compiled()
    before, after = (_launches(run, "autoencoder, b1000") for run in _FILES)
    told = ", ".join(f"{arm} {before[arm]}" for arm in ("Eva", "Eva-f", "K-FAC@10"))
    yield ComputedWords(page="optimizer-cost.md", text=f"on the autoencoder were {told}")
    told = f"Eva-s {before['Eva-s']}, M-FAC {before['M-FAC']} and Shampoo@10 {before['Shampoo@10']}"
    yield ComputedWords(page="optimizer-cost.md", text=f"{told}, then Eva {after['Eva']} and Eva-f {after['Eva-f']}")


@cache
def _line(run: str, check: str) -> dict[str, Any]:
    lines = (REFERENCE / _FILES[run]).read_text(encoding="utf-8").splitlines()
    found: dict[str, Any] = next((one for one in map(json.loads, lines) if one["check"] == check), {})
    return found


def _cost(run: str, net: str, arm: str) -> str:
    """Return "2.55x [2.30, 2.83]"; empty where the run did not measure it. SGD's other kernel stands in two lines."""
    rows = [
        row
        for part in ("", "_refreshes")
        for row in _line(run, f"cost_{net}{part}").get("rows", ())
        if row["arm"] == arm
    ]
    return str(rows[0]["over SGD"]) if rows else ""


def _launches(run: str, net: str) -> dict[str, int]:
    """Return the kernels of a plain step beyond those of SGD, by arm."""
    rows = {row["arm"]: row["launches"] for row in _line(run, "launches")["rows"] if row["net"] == net}
    return {arm: round(count - rows["SGD"]) for arm, count in rows.items()}


def _failed(run: str) -> str:
    """Return "2 of 116 failed"."""
    failed, passed = (int(part.split()[0]) for part in _line(run, "tests")["figure"].split(" in ")[0].split(", "))
    return f"{failed} of {failed + passed} failed"


def _largest_difference() -> float:
    rows = _line("second", "double_precision")["rows"]
    return max(float(row["float64"]) for row in rows)


def _busy() -> Iterator[Computed]:
    net = "MLP 2x8192, b1024"
    eva, sgd = (
        next(row["step ms"] for row in _line("second", "launches")["rows"] if (row["net"], row["arm"]) == (net, arm))
        for arm in ("Eva", "SGD")
    )
    yield ComputedWords(page=PAGE, text=f"Eva's step took {eva:.2f} ms and SGD's {sgd:.2f} ms: {eva / sgd:.2f}")


def _compiled() -> Iterator[Computed]:
    small, large = (row["compiled over eager"] for row in _line("second", "compiled")["rows"])
    yield ComputedWords(
        page=PAGE,
        text=f"{small} of the eager step on the autoencoder at batch 128 and {large} at batch 1000",
    )
