"""Stored runs as pandas frames: `load`, and on it `ratios` and `curves`, by the statistics of the reports."""

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from os import PathLike
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
import pandas as pd

from evabench.export.places import run_files, stored_runs
from evabench.export.scalars import Scalar, scalars
from evabench.findings.interruptions import KnownVisits
from evabench.findings.repeats import counting_runs
from evabench.records.run import Run
from evabench.stats.drift import Place, Visited, places_of
from evabench.stats.order_statistics import median_interval
from evabench.stats.paired import paired_ratio

# What each column holds, in their order; `docs/results.md` says the same (a test compares).
COLUMNS: Final[Mapping[str, str]] = {
    "file": "the file of the run",
    "key": "the run: the hash of what it does, where and with which code",
    "host": "the machine, 12 hexadecimal digits; never pool two",
    "torch": "the version of torch; never pool two",
    "code": "the code that the run rests on, 12 hexadecimal digits",
    "commit": "the commit of that code, for people; empty outside a git checkout",
    "cell": "workload, optimizer and measurement with all settings, 12 hexadecimal digits",
    "workload": "the suite's name for the workload",
    "arm": "the suite's name for the optimizer with its settings",
    "role": "judged, sets_target, tuning or rate_check; only judged runs are compared",
    "device": "the kind of device",
    "limits": "affinity and control groups, 12 hexadecimal digits; paired timings share them",
    "seed": "of weights, data order and augmentation; of a timing visit it is equal for the arms of a sweep",
    "kind": "the kind of measurement",
    "sweep": "of a timing visit: 0 is the pilot; missing elsewhere",
    "position": "of a timing visit: its place in the order of its sweep; missing elsewhere",
    "outcome": "completed, diverged, timeout, out_of_memory, crashed or killed",
    "counts": "whether reports use the run; not so a pilot, and one of two tries at a sweep",
    "disturbed": "whether something else used the machine, or a timed block was interrupted",
    "metric": "which number; empty where the run has none",
    "step": "training steps before it, or the place of a raw sample; missing where the number is one of the whole run",
    "value": "the number; NaN where it was not finite",
    "unit": "s, B, J, W, steps, loss, 1 (a share or ratio); empty for a count",
}
# Short names for what is asked for most.
ALIASES: Final[Mapping[str, tuple[str, str]]] = {
    "step": ("step_time", "amortised_seconds"),
    "plain_step": ("step_time", "plain_seconds"),
    "peak": ("memory", "peak.total"),
    "curvature_state": ("memory", "curvature_state_bytes"),
    "state": ("memory", "state_bytes"),
    "final_loss": ("convergence", "final_validation_loss"),
    "test_loss": ("convergence", "test_loss"),
}
Timed = tuple[int, int]  # seed and sweep
_SAME = ("host", "torch", "workload", "device", "limits")  # what is never pooled, and never compared as a pair


def load(*places: str | PathLike[str], raw: bool = False) -> pd.DataFrame:
    """Return the runs at some places, one row per number: see `COLUMNS`.

    A place is a file of runs or a folder; without any it is `results`. `raw`: every timed step, training loss and
    layer too. A run without a number has one row, with its outcome. Nothing is pooled and nothing is left out: `role`,
    `counts`, `host`, `torch` and `code` say what may be compared. Raises `StoreError` where a place has no runs, and
    warns of lines of a file that are not used.
    """
    files = run_files([Path(place) for place in places or ("results",)])
    return frame_of({file: stored_runs(file) for file in files}, raw=raw)


def frame_of(runs: Mapping[Path, Iterable[Run]], *, raw: bool = False) -> pd.DataFrame:
    """Return what `load` does, of runs that are read already."""
    rows = [row for file, found in runs.items() for row in _rows(file, found, raw)]
    frame = pd.DataFrame.from_records(rows, columns=list(COLUMNS))
    return frame.astype({"sweep": "Int64", "position": "Int64", "step": "Int64", "value": "float64"})


def ratios(frame: pd.DataFrame, metric: str, *, to: str) -> pd.DataFrame:
    """Return what each arm's number is of that of arm `to`, paired by seed and sweep, with a 95 % interval.

    `metric`: a name of `ALIASES`, or "kind/metric". The estimate is exp of the trimmed mean of the log ratios, and the
    interval its t interval: those of the reports (`stats/paired.py`). Only judged runs that count and completed are
    used. Raises `ValueError` where nothing can be paired, or where one arm has runs of two codes or settings.
    """
    chosen = _chosen(frame, metric)
    rows = [row for same, group in chosen.groupby(list(_SAME), sort=True) for row in _ratios(same, group, to)]
    if not rows:
        known = ", ".join(sorted(set(chosen["arm"]))) or "none"
        raise ValueError(f"nothing to compare with {to!r}: arms that have {metric!r} are {known}")
    return pd.DataFrame.from_records(rows)


def curves(frame: pd.DataFrame, metric: str = "validation_loss") -> pd.DataFrame:
    """Return the median of a series over seeds, at each evaluation, with its interval (of ranks; 6 seeds or more).

    `seconds` is the median training clock at that step. A seed that did not get so far is not in `num_seeds`, and only
    judged runs are used: one row per host, torch, workload, device, limits, arm, code, cell and step. Raises
    `ValueError` where no run has such a series.
    """
    series = [f"evaluations.{metric}", "evaluations.seconds"]
    is_series = (frame["kind"] == "convergence") & frame["metric"].isin(series)
    judged = frame[is_series & frame["counts"] & (frame["role"] == "judged")]
    place = [*_SAME, "arm", "code", "cell", "step"]
    rows = [_point(dict(zip(place, key, strict=True)), group, metric) for key, group in judged.groupby(place)]
    there = [row for row in rows if row["num_seeds"]]
    if not there:
        raise ValueError(f"no judged training run has a series {metric!r}; validation_loss is one")
    return pd.DataFrame.from_records(there)


def _point(place: dict[str, Any], group: pd.DataFrame, metric: str) -> dict[str, Any]:
    values = group[group["metric"] == f"evaluations.{metric}"]["value"].dropna().tolist()
    clock = group[group["metric"] == "evaluations.seconds"]["value"]
    interval = median_interval(values)
    return {
        **place,
        "seconds": float(clock.median()),
        "median": median(values) if values else math.nan,
        "low": interval.low if interval else math.nan,
        "high": interval.high if interval else math.nan,
        "level": interval.level if interval else math.nan,
        "num_seeds": len(values),
    }


def _chosen(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    kind, separator, name = metric.partition("/")
    if metric in ALIASES:
        kind, name = ALIASES[metric]
    elif not separator:
        raise ValueError(f'metric must be one of {", ".join(ALIASES)}, or "kind/metric", got {metric!r}')
    judged = frame["counts"] & (frame["role"] == "judged") & (frame["outcome"] == "completed")
    found = frame[judged & (frame["kind"] == kind) & (frame["metric"] == name) & frame["value"].notna()]
    if found.empty:
        kinds = ", ".join(sorted(set(frame[judged]["kind"] + "/" + frame[judged]["metric"]))[:40]) or "nothing"
        raise ValueError(f"no judged run that counts has {kind}/{name}; there is: {kinds}")
    return found


def _ratios(same: Any, group: pd.DataFrame, to: str) -> Iterator[dict[str, Any]]:
    parts = {str(arm): part for arm, part in group.groupby("arm", sort=True)}
    by_arm = {arm: _values(arm, part) for arm, part in parts.items()}
    if to not in by_arm:
        return
    for arm, values in by_arm.items():
        if arm == to:
            continue
        pairs = paired_ratio(values, by_arm[to], places_of_parts(parts[arm], parts[to]))
        if pairs is not None:
            yield {
                **dict(zip(_SAME, same, strict=True)),
                "arm": arm,
                "to": to,
                "ratio": pairs.estimate,
                "low": pairs.low if math.isfinite(pairs.high) else math.nan,
                "high": pairs.high if math.isfinite(pairs.high) else math.nan,
                "num_pairs": pairs.num_pairs,
            }


def places_of_parts(arm: pd.DataFrame, base: pd.DataFrame) -> dict[Timed, Place] | None:
    """Return where the visits of two arms stood, by seed and sweep; None where these are no visits."""
    visited = [_visited(part) for part in (arm, base)]
    return places_of(*visited) if all(visited) else None


def _visited(part: pd.DataFrame) -> dict[Timed, Visited]:
    timed = part[part["position"].notna()]
    rows = zip(timed["seed"], timed["sweep"], timed["position"], strict=True)
    return {(int(seed), int(sweep)): (int(sweep), int(position)) for seed, sweep, position in rows}


def _values(arm: str, part: pd.DataFrame) -> dict[tuple[int, int], float]:
    """Return the numbers of an arm by seed and sweep."""
    for column in ("code", "cell"):
        if len(found := sorted(set(part[column]))) > 1:
            raise ValueError(
                f"{arm} has runs of {len(found)} {column}s here ({', '.join(found)}), which are never pooled. "
                f"Choose one: frame[frame[{column!r}] == {found[-1]!r}]"
            )
    if (part["value"] <= 0).any():
        raise ValueError(f"a ratio needs positive numbers; {arm} has {part['value'].min():g}")
    sweeps = part["sweep"].fillna(-1).astype(int)
    return dict(zip(zip(part["seed"].astype(int), sweeps, strict=True), part["value"], strict=True))


def _rows(file: Path, runs: Iterable[Run], raw: bool) -> Iterator[dict[str, Any]]:
    every = tuple(runs)
    counting = {id(run) for run in counting_runs(every) if run.visit is None or run.visit.sweep > 0}
    known = KnownVisits(every)
    for run in every:
        place = _place(file, run, counts=id(run) in counting, disturbed=bool(known.disturbances(run)))
        numbers = tuple(scalars(run.measured, raw=raw)) if run.measured else ()
        for one in numbers or (Scalar(metric="", value=np.nan, unit=""),):
            yield place | {"metric": one.metric, "step": one.step, "value": one.value, "unit": one.unit}


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _place(file: Path, run: Run, *, counts: bool, disturbed: bool) -> dict[str, Any]:
    cell = run.cell
    return {
        "file": str(file),
        "key": run.key,
        "host": run.host.id,
        "torch": str(run.environment.torch),
        "code": run.code.id[:12],
        "commit": run.code.commit or "",
        "cell": _short_hash(cell.identity),
        "workload": cell.workload_name,
        "arm": cell.arm,
        "role": cell.role,
        "device": cell.device,
        "limits": _short_hash(repr(run.conditions.limits)) if run.conditions.limits else "",
        "seed": run.seed,
        "kind": cell.measurement.measurement,
        "sweep": run.visit.sweep if run.visit else None,
        "position": run.visit.position if run.visit else None,
        "outcome": run.outcome.kind,
        "counts": counts,
        "disturbed": disturbed,
    }
