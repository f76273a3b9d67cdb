"""What a suite still takes on this host: by the stored runs of all suites, and by probes where these are asked for."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evabench.errors import StoreError
from evabench.records.host import Host
from evabench.records.run import Run
from evabench.runner.estimate import History, estimate
from evabench.runner.plan import make_plan
from evabench.runner.probing import Probing, probe_cells
from evabench.store.files import RunStore
from evabench.suite.suite import Suite
from evabench.units import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a size of a suite still takes on this host, one run after the other."""

    seconds: Seconds  # of the runs of which something is known
    num_unknown: int
    num_runs: int  # 0: everything is stored


@dataclass(frozen=True, slots=True)
class StoredCosts:
    """The stored runs of one host, read once."""

    results: Path
    host: Host
    history: History
    probe_seconds: Seconds  # for each size of a suite: what no stored run speaks for is tried; 0: nothing is

    @classmethod
    def read(cls, results: Path, host: Host, probe_seconds: Seconds = 0.0) -> "StoredCosts":
        """Return what is stored for this host below a folder of results."""
        return cls(results, host, History(tuple(stored_on(results, host))), probe_seconds)

    def of(self, suite: Suite) -> Cost:
        """Return what is left of one size of a suite."""
        own = self.results / suite.name / self.host.id / "runs.jsonl"
        plan = make_plan(suite, RunStore(own).load(), self.host)
        unknown = [run.cell for run in plan.left if not self.history.speaks_for(run.cell)] if self.probe_seconds else []
        free = self.host.memory_bytes
        probing = probe_cells(unknown, max_seconds=self.probe_seconds, free_bytes=free) if unknown else Probing()
        found = estimate(plan, self.history, probing, free)
        num_runs = sum(len(row.costs) for row in found.rows)
        return Cost(seconds=found.seconds, num_unknown=found.num_unknown, num_runs=num_runs)


def stored_on(results: Path, host: Host) -> Iterator[Run]:
    """Yield the stored runs of all suites on this host; a file that cannot be read is no reason to estimate nothing."""
    files = sorted(results.glob(f"*/{host.id}/runs.jsonl")) if os.path.isdir(results) else []  # a name may be too long
    for path in files:
        try:
            yield from RunStore(path).load()
        except StoreError:
            continue
