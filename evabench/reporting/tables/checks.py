"""Checks of equal conditions that an arm did not pass, as sentences."""

from collections.abc import Iterator

from evabench.reporting.report import Report


def check_warnings(report: Report) -> Iterator[str]:
    """Yield each failed check once, by its name; no comparison with such an arm is a test."""
    arms = (arm for workload in report.workloads for one in (workload, *workload.other_budgets) for arm in one.arms)
    sentences = (f"{check.sentence} (Check: {check.name}.)" for arm in arms for check in arm.unequal)
    yield from dict.fromkeys(sentences)
