"""What was watched beside the training runs of an arm."""

from collections.abc import Iterator, Mapping

from evabench.findings.arm import MeasuredArm
from evabench.findings.failed_check import About
from evabench.records.checks import TrainingChecks
from evabench.records.convergence import Convergence

Found = Iterator[tuple[str, About | None, str]]  # name of the check, what it is about (None: everything), its finding


def curves(arm: MeasuredArm) -> Mapping[int, Convergence]:
    """Return the training runs of an arm by seed; those that did not complete too, as far as they got."""
    return {seed: run.measured for seed, run in arm.trainings.items() if isinstance(run.measured, Convergence)}


def watched(arm: MeasuredArm) -> Iterator[tuple[int, TrainingChecks]]:
    """Yield what was watched beside the training runs, with the seed of each."""
    return ((seed, curve.checks) for seed, curve in sorted(curves(arm).items()) if curve.checks is not None)
