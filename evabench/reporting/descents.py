"""Which arms end lower than they began: what a suite of few seeds can answer without comparing anything."""

from collections.abc import Iterator

from evabench.findings.arm import MeasuredArm
from evabench.records.convergence import Convergence
from evabench.reporting.report import Report
from evabench.reporting.tables.table import counted

_MANY = 8  # pairs: the first of more answers for none of the others
_MAX_NAMED = 4


def descents_answer(report: Report) -> tuple[str, str]:
    """Return how many arms ended lower than they began, and why none of them is compared; empty where some are.

    It speaks where many arms are held against the reference and not one of these questions is decided.
    """
    if len(report.pairs) <= _MANY or any(one.here.decided for one in report.pairs):
        return "", ""
    ended = dict(_descents(report))
    if not ended:
        return "", ""
    risen = [name for name, lower in ended.items() if not lower]
    told = counted(len(ended), "training")
    lower = len(ended) - len(risen)
    which = f"Of {told} of an arm on a net {lower} end" if risen else f"All {told} of an arm on a net end"
    asked = f"Against {report.suite.reference_arm} none of {counted(len(report.pairs), 'comparison')} is decided."
    first = f"{which} at a lower validation loss than they began with."
    return first, f"Counted is what does so in every seed{_but(risen)}. {asked} {report.pairs[0].reason}"


def _descents(report: Report) -> Iterator[tuple[str, bool]]:
    """Yield each arm with whether its last validation loss is below its first in every seed."""
    for workload in report.workloads:
        for arm in workload.arms:
            if arm.trainings:
                yield f"{arm.name} on {workload.name}", all(_is_lower(arm, seed) for seed in arm.trainings)


def _is_lower(arm: MeasuredArm, seed: int) -> bool:
    last, measured = arm.validation(seed, "loss"), arm.trainings[seed].measured
    begun = measured.evaluations[:1] if isinstance(measured, Convergence) else ()
    first = begun[0].validation_loss if begun else None
    return first is not None and last is not None and last < first


def _but(names: list[str]) -> str:
    """Return "; the exception: M-FAC on autoencoder"; empty where there is none."""
    if not names:
        return ""
    more = len(names) - _MAX_NAMED
    told = "; ".join(names[:_MAX_NAMED]) + (f"; and {more} more" if more > 0 else "")
    return f"; the {'exception' if len(names) == 1 else 'exceptions'}: {told}"
