"""What the optimizers say of themselves, as tables: of each workload, and of many workloads together."""

from collections.abc import Iterable, Sequence

from evabench.findings.arm import MeasuredArm
from evabench.reporting.report import WorkloadReport
from evabench.reporting.tables.table import NOT_MEASURED, Table

_COUNTS = ("more damping", "failed", "steps skipped")
_HEADINGS = ("preconditioned", *_COUNTS, "layers without statistics")
_ABOUT = (
    "Preconditioned: share of the trained parameters. More damping: factorisations that needed more than the settings "
    "ask for. Failed: that failed even so, and reused the previous root."
)


def health_table(workload: WorkloadReport) -> Table | None:
    """Return what the optimizers say of themselves; None where none does."""
    arms = [arm for arm in workload.arms if arm.healths]
    if not arms:
        return None
    return Table(
        title="Numerical health",
        headings=("arm", *_HEADINGS),
        rows=tuple((arm.name, *_cells([arm])) for arm in arms),
        note=f"Over all runs of the arm. {_ABOUT}",
        text=frozenset({"layers without statistics"}),
    )


def healths_table(workloads: Sequence[WorkloadReport]) -> Table | None:
    """Return the same of several workloads, an arm in a row; None where none says anything."""
    arms: dict[str, list[MeasuredArm]] = {}
    for workload in workloads:
        for arm in workload.arms:
            if arm.healths:
                arms.setdefault(arm.name, []).append(arm)
    if not arms:
        return None
    return Table(
        title="Numerical health on all workloads",
        headings=("arm", "workloads", *_HEADINGS),
        rows=tuple((name, str(len(found)), *_cells(found)) for name, found in arms.items()),
        note=f"Sums over all workloads and runs of the arm; the share from the lowest to the highest. {_ABOUT}",
        text=frozenset({"layers without statistics"}),
    )


def is_unhealthy(workload: WorkloadReport) -> bool:
    """Return whether any optimizer tells of trouble there."""
    return any(sum(_counts([arm])) or _layers([arm]) for arm in workload.arms)


def _cells(arms: Sequence[MeasuredArm]) -> tuple[str, ...]:
    return (_shares(arms), *map(str, _counts(arms)), ", ".join(_layers(arms)) or "none")


def _counts(arms: Sequence[MeasuredArm]) -> tuple[int, int, int]:
    healths = [health for arm in arms for health in arm.healths]
    return (
        sum(health.num_escalations for health in healths),
        sum(health.num_failures for health in healths),
        sum(max(health.skipped_steps.values(), default=0) for health in healths),
    )


def _layers(arms: Iterable[MeasuredArm]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for arm in arms for one in arm.healths for name in one.layers_without_statistics))


def _shares(arms: Iterable[MeasuredArm]) -> str:
    known = sorted(arm.preconditioned_share for arm in arms if arm.preconditioned_share is not None)
    words = [f"{share:.1%}" for share in known]
    return " to ".join(dict.fromkeys((words[0], words[-1]))) if words else NOT_MEASURED
