"""The commands that a report names, ready to be typed."""

import shlex

from evabench.reporting.report import Report
from evabench.suite.shipped import shipped_suites
from evabench.suite.suite import Suite


def suite_words(suite: Suite) -> tuple[str, ...]:
    """Return how a call names a suite and its tier; one that does not ship is a file, called as it mostly is."""
    name = suite.name if suite.name in shipped_suites() else f"{suite.name}.toml"
    return (name, *(("--tier", suite.tier) if suite.tier is not None else ()))


def run_command(suite: Suite) -> str:
    """Return what runs a suite again."""
    return shlex.join(("evabench", "run", *suite_words(suite)))


def show_command(report: Report) -> str:
    """Return what shows the runs of a report again; an address behind it tells where a number comes from."""
    places = ("--runs", report.place) if report.place else ()
    return shlex.join(("evabench", "show", *suite_words(report.suite), *places, "--id"))


def claims_command(suite: Suite) -> str:
    """Return what tells of every claim about a suite what would decide it."""
    return shlex.join(("evabench", "claims", *suite_words(suite)))
