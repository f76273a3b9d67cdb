"""A target that training runs have set: a line of `targets.jsonl`."""

import hashlib
import json
from dataclasses import dataclass

from evabench.records.cell import Cell
from evabench.settings.identity import identity
from evabench.settings.strict import Strict
from evabench.settings.targets import TargetMetric


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTarget(Strict):
    """The value to reach on one workload at one budget; the runs that set it are never judged."""

    cell: Cell  # of those runs: workload, arm and budget
    metric: TargetMetric
    at: float  # share of the budget within which they hit `value`
    value: float  # the nominal one
    easier: float  # the same within half of the budget
    harder: float  # the same within 95 % of it
    num_hits: int  # of the runs, that hit `value` within `at`
    run_keys: tuple[str, ...]  # by seed, those that diverged too

    @property
    def hash(self) -> str:
        """Return 16 hexadecimal digits: another value, rule or run is another target."""
        canonical = json.dumps(identity(self), sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]
