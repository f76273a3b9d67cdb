"""What a reader has to know about targets that runs set."""

from evabench.findings.targets import TargetFindings


def target_warnings(targets: TargetFindings) -> tuple[str, ...]:
    """Return which targets are not set, what carries another and how many were tried, as sentences."""
    found = [f"{one.cell.workload_name} has no target: {one.reason}." for one in targets.none]
    if targets.other_runs:
        found.append(
            f"{len(targets.other_runs)} stored training runs carry no target, or another than the one that is set now: "
            "they are not used."
        )
    found += [
        f"{number} targets of {workload} have been tried in this results folder: of several, one may suit by chance."
        for workload, number in targets.num_tried.items()
        if number > 1
    ]
    return tuple(found)
