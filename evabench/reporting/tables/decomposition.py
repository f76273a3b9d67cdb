"""What a speed-up is made of: fewer steps, cheaper steps, and the rest, as a table."""

from evabench.claims.judgement import Evidence
from evabench.reporting.report import Report
from evabench.reporting.tables.table import NOT_MEASURED, Table
from evabench.reporting.tables.verdicts import estimated
from evabench.settings.claims import TO_TARGET


def decomposition_table(report: Report) -> Table | None:
    """Return the factors of each comparison of times to a target, once; None where no seed was reached by both arms."""
    found: dict[tuple[str, str, str], Evidence] = {}
    for judgement in (*report.judgements, *report.pairs):
        for one in judgement.evidence:
            if judgement.claim.quantity in TO_TARGET and "steps_factor" in one.numbers:
                found.setdefault((one.workload, one.arm, one.base), one)
    if not found:
        return None
    return Table(
        title="Fewer steps, or cheaper ones",
        headings=("comparison", "workload", "time to target [95 %]", "steps", "step time", "rest", "seeds"),
        text=frozenset({"workload"}),
        rows=tuple(
            (
                f"{arm} against {base}",
                workload,
                estimated(one),
                f"{one.numbers['steps_factor']:.2f}x",
                f"{one.numbers['step_time_factor']:.2f}x",
                f"{one.numbers['rest_factor']:.2f}x" if "rest_factor" in one.numbers else NOT_MEASURED,
                f"{one.numbers['num_seeds_of_factors']:g}",
            )
            for (workload, arm, base), one in found.items()
        ),
        note=(
            "Above 1 the arm is the better one. The factors are geometric means over the seeds that both arms reach, "
            "and multiply; the time to the target is a median in which misses count as infinite. Rest: what the runs' "
            "own clocks say beyond both, where a run had the machine for itself."
        ),
    )
