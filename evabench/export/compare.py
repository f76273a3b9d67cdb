"""Two sets of stored runs, beside each other: of two places, hosts, commits or arms."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Literal

import pandas as pd

from evabench.errors import StoreError
from evabench.export.frames import ALIASES, frame_of, places_of_parts
from evabench.export.places import run_files, stored_runs, with_faults
from evabench.records.host import Host
from evabench.records.run import Run
from evabench.stats.drift import Place
from evabench.stats.interval import Interval
from evabench.stats.paired import paired_ratio
from evabench.stats.trimmed import trimmed_geometric_mean
from evabench.stats.unpaired import unpaired_ratio

Key = tuple[Hashable, ...]
Timed = tuple[int, int, str]  # seed, sweep and limits
By = Literal["place", "host", "commit", "arm"]
METRICS: Final = ("step", "peak", "curvature_state", "final_loss")
_MIN_PAIRS = 2
_NEVER_POOLED: Final = {"host": "hosts", "torch": "versions of torch", "device": "devices"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One number of one arm on one workload, on both sides."""

    workload: str
    arm: str  # "" where the arms are what is compared
    metric: str
    unit: str
    base: float  # trimmed geometric means
    head: float
    ratio: float  # head / base
    interval: Interval | None
    num_base: int
    num_head: int
    paired: bool  # the visits of common sweeps, or runs of common seeds, on one host


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What two sides have in common, and what else differs between them."""

    lines: tuple[Line, ...]
    differences: tuple[str, ...]  # sentences
    only_base: tuple[str, ...]  # "workload, arm" that the other side lacks
    only_head: tuple[str, ...]


def compare(base: str, head: str, *, by: By = "place", within: Sequence[Path] = ()) -> Comparison:
    """Return the comparison of two sides; `within`: where the runs of two hosts, commits or arms lie.

    Sides are files or folders (`by` place), ids of hosts, beginnings of commits, or names of arms. Raises `StoreError`
    where a side has no runs, has those of two hosts, or the two have nothing in common.
    """
    sides = [_side(name, by, within) for name in (base, head)]
    frames = [_numbers(name, side) for name, side in zip((base, head), sides, strict=True)]
    groups = ["workload", "metric"] if by == "arm" else ["workload", "arm", "metric"]
    found = [{key: group for key, group in frame.groupby(groups, sort=True)} for frame in frames]
    same_place = by == "arm" and len({run.host.id for side in sides for runs in side.values() for run in runs}) == 1
    lines = tuple(_line(by, key, found[0][key], found[1][key], same_place) for key in found[0] if key in found[1])
    if not lines:
        raise StoreError(f"{base} and {head} have no workload{'' if by == 'arm' else ' and arm'} in common")
    return Comparison(
        lines=lines,
        differences=tuple(_differences(*sides)),
        only_base=_missing(found[0], found[1]),
        only_head=_missing(found[1], found[0]),
    )


def _side(name: str, by: By, within: Sequence[Path]) -> dict[Path, tuple[Run, ...]]:
    files = run_files([Path(name)] if by == "place" else within)
    chosen = {file: tuple(run for run in stored_runs(file) if _belongs(run, name, by)) for file in files}
    if not any(chosen.values()):
        known = sorted({_told(run, by) for file in files for run in stored_runs(file)})
        message = f"{name}: no run of this {by}. There are: {', '.join(known) or 'none'}"
        raise StoreError(with_faults(message, files))
    return chosen


def _belongs(run: Run, name: str, by: By) -> bool:
    return by == "place" or (_told(run, by).startswith(name) if by == "commit" else _told(run, by) == name)


def _told(run: Run, by: By) -> str:
    match by:
        case "host":
            return run.host.id
        case "commit":
            return run.code.commit or "no commit"
        case _:
            return run.cell.arm


def _numbers(name: str, side: Mapping[Path, Sequence[Run]]) -> pd.DataFrame:
    """Return the judged numbers that are compared, under their short names; of several codes or settings the last."""
    frame = frame_of(side)
    names = {ALIASES[name]: name for name in METRICS}
    judged = frame["counts"] & (frame["role"] == "judged") & (frame["outcome"] == "completed")
    frame = frame[judged & frame["value"].notna()]
    short = [names.get((kind, metric), "") for kind, metric in zip(frame["kind"], frame["metric"], strict=True)]
    frame = frame.assign(metric=short)
    frame = frame[frame["metric"] != ""]
    _check_pooled(name, frame)
    series = frame.groupby(["workload", "arm", "metric"])
    return frame[
        (frame["code"] == series["code"].transform("last")) & (frame["cell"] == series["cell"].transform("last"))
    ]


def _check_pooled(name: str, frame: pd.DataFrame) -> None:
    """Raise `StoreError` where a number of a side would be one of two machines, devices or versions of torch."""
    for (workload, arm, _), group in frame.groupby(["workload", "arm", "metric"]):
        for column, words in _NEVER_POOLED.items():
            if len(found := sorted(set(group[column]))) > 1:
                raise StoreError(
                    f"{name}: {workload}, {arm} has runs of {len(found)} {words} ({', '.join(found)}), which are never "
                    "pooled. Name a file or folder that has one of them, or compare two hosts: --by host"
                )


def _line(by: By, key: Key, base: pd.DataFrame, head: pd.DataFrame, same_place: bool) -> Line:
    values = [_by_place(part) for part in (base, head)]
    pairs = paired_ratio(values[1], values[0], _places(head, base)) if same_place and _positive(values) else None
    paired = pairs is not None and pairs.num_pairs >= _MIN_PAIRS
    plain = [tuple(side.values()) for side in values]
    if pairs is not None and paired:
        ratio = pairs.estimate
        interval: Interval | None = pairs.interval
    elif _positive(values):
        unpaired = unpaired_ratio(plain[1], plain[0])
        ratio, interval = unpaired.estimate, unpaired.interval
    else:
        ratio, interval = float("nan"), None
    return Line(
        workload=str(key[0]),
        arm="" if by == "arm" else str(key[1]),
        metric=str(key[-1]),
        unit=str(base["unit"].iloc[0]),
        base=_centre(plain[0]),
        head=_centre(plain[1]),
        ratio=ratio,
        interval=interval,
        num_base=len(plain[0]),
        num_head=len(plain[1]),
        paired=paired,
    )


def _by_place(part: pd.DataFrame) -> dict[Timed, float]:
    sweeps = part["sweep"].fillna(-1).astype(int)
    places = zip(part["seed"].astype(int), sweeps, part["limits"].astype(str), strict=True)
    return dict(zip(places, part["value"].astype(float), strict=True))


def _places(head: pd.DataFrame, base: pd.DataFrame) -> dict[Timed, Place] | None:
    """Return where the visits of both sides stood; None where these are no visits."""
    found = places_of_parts(head, base)
    if found is None:
        return None
    return {sweep: found[sweep[:2]] for sweep in _by_place(head) if sweep[:2] in found}


def _positive(sides: Sequence[Mapping[Timed, float]]) -> bool:
    return all(value > 0 for side in sides for value in side.values())


def _centre(values: Sequence[float]) -> float:
    return trimmed_geometric_mean(values) if min(values) > 0 else float(pd.Series(values).median())


def _differences(base: Mapping[Path, Sequence[Run]], head: Mapping[Path, Sequence[Run]]) -> Iterator[str]:
    one, other = ([run for runs in side.values() for run in runs][-1] for side in (base, head))
    for field in fields(Host):
        if getattr(one.host, field.name) != getattr(other.host, field.name):
            yield f"{field.name}: {_words(getattr(one.host, field.name))} / {_words(getattr(other.host, field.name))}"
    for name, version in one.environment.identity:
        there = dict(other.environment.identity).get(name)
        if there != version:
            yield f"{name}: {version} / {there}"
    if one.code.commit != other.code.commit:
        yield f"commit: {(one.code.commit or 'none')[:12]} / {(other.code.commit or 'none')[:12]}"


def _words(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(getattr(one, "name", str(one)) for one in value) or "none"
    return str(value)


def _missing(here: Mapping[Key, pd.DataFrame], there: Mapping[Key, pd.DataFrame]) -> tuple[str, ...]:
    names = (key[:-1] for key in here if key not in there)
    return tuple(dict.fromkeys(", ".join(map(str, name)) for name in names))
