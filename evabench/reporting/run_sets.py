"""Stored runs of any host and code, as sets that are never pooled: of one file, one host and one torch each."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evabench.errors import StoreError
from evabench.export.places import run_files, with_faults
from evabench.records.host import Host
from evabench.records.run import Run
from evabench.reporting.tables.table import counted
from evabench.store.files import RunStore
from evabench.suite.suite import Suite

_MAX_NAMED = 3  # arms of other settings


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSet:
    """Runs of a suite that may stand in one report."""

    path: Path
    runs: tuple[Run, ...]  # of each series those of its last code
    notes: tuple[str, ...]  # sentences about the file and what was left out of it

    @property
    def host(self) -> Host:
        """Return the host of all runs."""
        return self.runs[0].host

    @property
    def label(self) -> str:
        """Return which runs these are: "PATH: host 1a2b3c4d5e6f (a CPU), torch 2.9.0, numpy 2.3.1, commit 0123456"."""
        commits = dict.fromkeys(run.code.commit[:7] if run.code.commit else "none" for run in self.runs)
        what = "commit" if len(commits) == 1 else "commits"
        packages = self.runs[-1].environment.title
        return f"{self.path}: host {self.host.id} ({self.host.cpu}), {packages}, {what} {', '.join(commits)}"


def run_sets(suite: Suite, places: Sequence[Path]) -> tuple[RunSet, ...]:
    """Return the runs of a suite at some places: files, or folders of them. A file without such a run is passed over.

    Raises `StoreError` where no file has one.
    """
    files = run_files(places)
    found = tuple(one for path in files for one in _sets(suite, path))
    if not found:
        told = ", ".join(map(str, files[:3])) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
        message = (
            f"{told}: there is no run of a workload and an arm of {suite.name}, with its settings. Choose another "
            "suite, tier or place: --runs PATH"
        )
        raise StoreError(with_faults(message, files))
    return found


def _sets(suite: Suite, path: Path) -> Iterator[RunSet]:
    stored = RunStore(path).read()
    named = [run for run in stored.entries if run.cell.arm in suite.arms and run.cell.role != "tuning"]  # of any width
    runs = [run for run in named if _has_settings_of(suite, run)]
    other = [_cell_words(run) for run in named if not _has_settings_of(suite, run)]
    for place in dict.fromkeys(map(_place, runs)):
        together = [run for run in runs if _place(run) == place]
        if not any(run.cell.workload_name in suite.workloads for run in together):
            continue
        kept = _of_last_code(together)
        left_out = len(together) - len(kept)
        note = f"{path}: {left_out} runs of other code than the last of their series are not used."
        notes = (*stored.notes, *([note] if left_out else []), *_of_other_settings(path, other))
        yield RunSet(path=path, runs=kept, notes=notes)


def _has_settings_of(suite: Suite, run: Run) -> bool:
    """Return whether a judged run has the settings that its arm has in the suite, and not just the name."""
    return run.cell.role != "judged" or run.cell.optimizer == suite.arms[run.cell.arm]


def _cell_words(run: Run) -> str:
    return f"{run.cell.arm} on {run.cell.workload_name}"


def _of_other_settings(path: Path, cells: Sequence[str]) -> Iterator[str]:
    """Yield which runs have other settings than their arm has in the suite: they would be judged under its name."""
    if cells:
        named = list(dict.fromkeys(cells))
        more = f"; and {len(named) - _MAX_NAMED} more" if len(named) > _MAX_NAMED else ""
        yield (
            f"{path}: {counted(len(cells), 'run')} with other settings than the suite has under that name are not used:"
            f" {'; '.join(named[:_MAX_NAMED])}{more}."
        )


def _place(run: Run) -> tuple[str, str | None]:
    return run.host.id, run.environment.torch


def _of_last_code(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Return the runs whose code is that of the last run of the same cell: two codes of one cell are never pooled."""
    every = tuple(runs)
    last = {run.cell.without_target.identity: run.code.identity for run in every}
    return tuple(run for run in every if run.code.identity == last[run.cell.without_target.identity])


def size_of(runs: Iterable[Run], suites: Iterable[Suite]) -> Suite | None:
    """Return the size among some suites that has most of the workloads and arms of runs, by name; None: none has any.

    Of sizes that have as many, the smoke tier comes last: it judges nothing. It is on the device of most of the runs.
    """
    runs = tuple(runs)
    places = {(run.cell.workload_name, run.cell.arm) for run in runs}
    best: tuple[tuple[int, bool], Suite] | None = None
    for suite in suites:
        for size in [suite.at(tier) for tier in suite.tiers] or [suite]:
            num = sum(workload in size.workloads and arm in size.arms for workload, arm in places)
            rank = (num, size.tier != "smoke")
            if num and (best is None or rank > best[0]):
                best = rank, size
    if best is None:
        return None
    return replace(best[1], device=Counter(run.cell.device for run in runs).most_common(1)[0][0])
