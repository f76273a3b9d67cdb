"""Reports of made-up runs, with exact numbers, and one whose every name tries to break out of the page."""

from dataclasses import replace
from functools import cache

from evabench.records.host import Processor
from evabench.records.measurement import PhasesSettings
from evabench.records.phases import Phases
from evabench.reporting import report as reporting
from evabench.reporting.sections import make_document
from evabench.settings.targets import Target
from evabench.suite.convergence import ConvergenceTable
from evabench.suite.suite import Suite
from evabench.suite.tables import Measurements, MemoryTable, TimingTable
from tests import runs as made
from tests.claims.eva import EVA_CLAIMS

HOSTILE = '<script>alert("x")</script>|`$x_1$`](javascript:1) *b*'
SECONDS = {"SGD": 0.010, "Eva": 0.011, "K-FAC@1": 0.070, "K-FAC@10": 0.030, "Shampoo": 0.060}
STEPS = {"SGD": 40, "Eva": 20, "K-FAC@1": 20, "K-FAC@10": 24, "Shampoo": None}


def suite(**changes):
    measured = {
        "step_time": TimingTable(sweeps=7),
        "memory": MemoryTable(width_scales=(0.2, 0.4, 0.6, 0.8, 1.0)),
        "convergence": ConvergenceTable(
            seeds=3,
            epochs=2,
            evaluate_every=made.EVERY,
            targets={"autoencoder": Target(value=made.TARGET, provenance="made up")},
        ),
    }
    fields = {
        "name": "made-up",
        "title": "A made-up suite",
        "description": "Numbers of no machine.",
        "decided_by": "larger",
        "workloads": {"autoencoder": made.NET},
        "arms": made.ARMS,
    }
    measured |= {name: changes.pop(name) for name in measured if name in changes}
    return Suite(**(fields | changes), measurements=Measurements(**measured))


def runs():
    found = []
    for arm in made.ARMS:
        found += made.visits(arm, SECONDS[arm])
        found += made.trainings(arm, [STEPS[arm]] * 3)
        parts = {"forward": 0.4 * SECONDS[arm], "backward": 0.5 * SECONDS[arm], "update": 0.1 * SECONDS[arm]}
        phases = Phases(cycle_steps=1, steps=(parts,) * 3, plain_seconds=(SECONDS[arm],) * 3)
        found.append(made.run(arm, PhasesSettings(), phases))
        size = made.vectors if arm in {"SGD", "Eva"} else made.factors
        found += made.memories(arm, size, scales=(0.2, 0.4, 0.6, 0.8))
        found.append(made.memory(arm, 1.0, size(made.NET), name="autoencoder"))
    return found


def make_report(suite, runs, **changes):
    return reporting.make_report(suite, runs, EVA_CLAIMS, **changes)


def report(**changes):
    return make_report(suite(), runs(), **changes)


def long_named_report():
    """Return a report whose suite and arm have names of 300 letters."""
    arm = "W" * 300
    renamed = [replace(one, cell=replace(one.cell, arm=arm)) for one in runs() if one.cell.arm == "Eva"]
    return make_report(suite(title="T" * 300, arms={arm: made.ARMS["Eva"]}), renamed)


def hostile_report():
    """Return a report whose suite, workload, arm, reason and package names are markup."""
    arms = {f"{HOSTILE} {arm}": settings for arm, settings in made.ARMS.items()}
    renamed = [
        replace(
            run,
            cell=replace(run.cell, arm=f"{HOSTILE} {run.cell.arm}", workload_name=HOSTILE),
            host=replace(run.host, processors=(Processor(name=HOSTILE),)),
            environment=replace(run.environment, others={HOSTILE: HOSTILE}),
        )
        for run in runs()
    ]
    renamed.append(replace(made.failed(renamed[0], "crashed"), key="broken", seed=99))
    renamed[-1] = replace(renamed[-1], outcome=replace(renamed[-1].outcome, reason=HOSTILE))
    table = replace(suite().convergence, targets={HOSTILE: Target(value=made.TARGET, provenance=HOSTILE)})
    words = {"title": HOSTILE, "description": HOSTILE, "decided_by": HOSTILE}
    return make_report(suite(**words, arms=arms, workloads={HOSTILE: made.NET}, convergence=table), renamed)


@cache
def document():
    """Return the document of `report()`, whose pictures take a while, once per process."""
    return make_document(report())


@cache
def hostile_document():
    return make_document(hostile_report())
