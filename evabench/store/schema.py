"""A run <-> a line of JSON, with the history of the format.

    1   2026-11-24   the first
    2   2026-11-24   memory: the peak's statistics apart from the other optimizer state; its layer, the live bytes over
                     the step, the allocator's peak and the workspace of the operator there
    3   2026-11-24   a step time has a window of energy instead of `energy_joules`, which was never read; memory of the
                     device; more conditions; a sweep may have been repeated
    4   2026-11-24   convergence: accuracy, bits per byte and the wait for batches
    5   2026-11-24   what the optimizer says of its health, and how much of the model it preconditions
    6   2026-11-24   step time: work beside the step; memory: what a cycle keeps; phases: `zero_grad` is one
    7   2026-11-24   pilot: its first step, in which state, caches and compiled code are made
    8   2026-11-24   convergence: its first step, likewise
    9   2026-11-26   cell: what it is for, its device, subnormal numbers, group of processes, and a value to stop at;
                     precision of a workload; fused first-order optimizers; convergence: a rate that schedule and
                     optimizer both set; whether the child flushed subnormal numbers; code: a hash for each part;
                     packages in an environment and limits in the conditions instead of in the host; its processors;
                     step time: CPU time of each block
   10   2026-11-26   Eva, Eva-f and Eva-s: whether their vectors are on; Eva: "per_example" of an image sums over its
                     positions, and what averaged is "per_example_mean"; convergence: trivial levels, seconds of
                     evaluations; seconds of set-up; pilot, step time, phases and memory: at which share of the
                     learning rate; a kind "directions"; a cell's device may be of any kind, and the limits name the
                     one; memory order and compilation of a workload, deterministic cells; a target in numbers has a
                     hash too; the role "rate_check"; convergence and step time: what was watched beside them,
                     losses of an untouched net and switches among it; pilot: both passes alone

A line is `{"schema": N, "run": {...}}`, in a seal (`seal.py`). Old numbers keep loading: a new number comes with the
function that lifts the line before it.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from evabench.records.codec import decode, encode, first_mistake
from evabench.records.run import Run
from evabench.store.seal import LineError

SCHEMA = 10
_PRESENT = f'{{"schema": {SCHEMA}, "run": '  # how a line of the present schema begins


def to_line(run: Run) -> str:
    """Return a run as one line, without its end."""
    return f"{_PRESENT}{encode(Run, replace(run, cell=run.cell.without_places))}}}"


def from_line(line: str) -> Run:
    """Return the run of a line. Raises `LineError` where it holds none, or one of a newer evabench."""
    if line.startswith(_PRESENT) and line.endswith("}"):
        return _decoded(line[len(_PRESENT) : -1])
    try:
        outer = json.loads(line)
        schema = outer["schema"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise LineError("this is no run of evabench") from None
    if outer.keys() - {"schema", "run"}:
        raise LineError("it has fields that evabench never wrote")
    try:
        return _decoded(json.dumps(_lifted(outer["run"], schema)))
    except (KeyError, TypeError, AttributeError) as error:
        raise LineError(f"the run is damaged: {type(error).__name__} {error}") from None


def _decoded(run: str) -> Run:
    try:
        return decode(Run, run)
    except ValidationError as error:
        raise LineError(f"the run is damaged: {first_mistake(error)}") from None


def _lifted(run: dict[str, Any], schema: object) -> dict[str, Any]:
    """Return the run as the present schema has it."""
    if schema == SCHEMA:
        return run
    if not isinstance(schema, int) or schema not in _LIFTS:
        raise LineError(f"a newer evabench wrote it (schema {schema}; known here: up to {SCHEMA})")
    _LIFTS[schema](run)
    return _lifted(run, schema + 1)


def _lift_memory(run: dict[str, Any]) -> None:
    """1 -> 2. The peak was in a steady step, so the state was alive in it, curvature and all."""
    measured = run["measured"]
    if measured is None or measured["measured"] != "memory":
        return
    peak = measured["peak"]
    peak["statistics"] = min(measured["curvature_state_bytes"], peak["optimizer_state"])
    peak["optimizer_state"] -= peak["statistics"]
    measured |= {
        "peak_layer": None,
        "timeline": [],
        "allocator_peak_bytes": None,
        "workspace_bytes": None,
        "workspace_operator": None,
    }


def _lift_step_time(run: dict[str, Any]) -> None:
    """2 -> 3."""
    measured = run["measured"]
    if measured is not None and measured["measured"] == "step_time":
        del measured["energy_joules"]


def _lift_convergence(run: dict[str, Any]) -> None:
    """3 -> 4. There was the loss alone, and nobody had measured the wait."""
    measured = run["measured"]
    if measured is None or measured["measured"] != "convergence":
        return
    for evaluation in measured["evaluations"]:
        evaluation |= {"validation_accuracy": None, "validation_bits_per_byte": None}
    measured |= {"test_accuracy": None, "test_bits_per_byte": None, "input_wait_seconds": None}


def _lift_health(run: dict[str, Any]) -> None:
    """4 -> 5. Nobody had asked the optimizer."""
    run |= {"health": None, "preconditioned_share": None}


def _lift_code_and_place(run: dict[str, Any]) -> None:
    """8 -> 9. There was one hash for the sources of all children, and one for all that is the user's."""
    lift_cell(run["cell"])
    code = run["code"]
    hashes = {"sources": code.pop("sources"), "plug-ins and checkpoint": code.pop("plugin")}
    code["hashes"] = {part: one for part, one in hashes.items() if one is not None}
    _lift_host(run)


def _lift_host(run: dict[str, Any]) -> None:
    """8 -> 9. Packages were a part of the host, and so was what the system lets a run have."""
    host = run["host"]
    versions = host.pop("packages")
    torch, numpy = (versions.pop(name, None) for name in ("torch", "numpy"))
    run["environment"] = {"torch": torch, "numpy": numpy, "others": versions}
    run["conditions"]["limits"] = {
        "usable_cpus": host.pop("num_cpus"),
        "affinity": None,
        "cpus": host.pop("cpu_limit"),
        "memory_bytes": host.pop("memory_limit_bytes"),
    }
    name = host.pop("cpu")
    host |= {
        "processors": [{"name": name, "vendor": None, "family": None, "model": None, "revision": None}],
        "num_cpus": None,
    }


def lift_cell(cell: dict[str, Any]) -> None:
    """8 -> 9. What a cell is for stood in the place of its target; SGD and AdamW had no kernel for the whole update."""
    if cell.get("target") == "sets it":
        cell |= {"target": None, "role": "sets_target"}
    if cell["optimizer"]["optimizer"] in ("sgd", "adamw"):
        cell["optimizer"].setdefault("fused", False)


def _lift_output_gradient(run: dict[str, Any]) -> None:
    """9 -> 10. Where a workload may have convolutions, Eva's "per_example" gets the name of what it was."""
    cell = run["cell"]
    if cell["workload"]["workload"] in ("classifier", "plugin"):
        for settings in (cell["optimizer"], *cell["measurement"].get("views", ())):
            if settings.get("optimizer", "eva") == "eva" and settings.get("output_gradient") == "per_example":
                settings["output_gradient"] = "per_example_mean"


_LIFTS: dict[int, Callable[[dict[str, Any]], None]] = {
    1: _lift_memory,
    2: _lift_step_time,
    3: _lift_convergence,
    4: _lift_health,
    5: lambda run: None,  # what is new has "not measured" as its default
    6: lambda run: None,
    7: lambda run: None,
    8: _lift_code_and_place,
    9: _lift_output_gradient,  # what else is new has a legacy value
}
