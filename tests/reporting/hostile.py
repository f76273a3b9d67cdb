"""Reports in which one arm has a name that tries something."""

from dataclasses import replace

from tests import runs as made
from tests.reporting.reports import make_report, suite


def named(name):
    """Return a report of SGD and of Eva under this name: timed, trained, counted."""
    runs = []
    for arm, seconds in (("SGD", 0.010), ("Eva", 0.011)):
        runs += [
            *made.visits(arm, seconds),
            *made.trainings(arm, [40, 20, 24]),
            made.memory(arm, 1.0, 400, name="autoencoder"),
        ]
    renamed = [
        replace(one, key=f"renamed-{one.key}", cell=replace(one.cell, arm=name)) if one.cell.arm == "Eva" else one
        for one in runs
    ]
    return make_report(suite(arms={"SGD": made.ARMS["SGD"], name: made.ARMS["Eva"]}), renamed)
