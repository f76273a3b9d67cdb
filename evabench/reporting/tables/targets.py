"""What a reader has to know about targets that runs set."""

from evabench.findings.targets import TargetFindings


def target_warnings(targets: TargetFindings) -> tuple[str, ...]:
    """Return which targets are not set, and what carries another, as sentences."""
    found = [f"{one.cell.workload_name} has no target: {one.reason}." for one in targets.none]
    if targets.other_runs:
        found.append(
            f"{len(targets.other_runs)} stored training runs carry no target, or another than the one that is set now: "
            "they are not used."
        )
    return tuple(found)
