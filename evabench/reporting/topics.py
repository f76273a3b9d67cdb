"""What a page shows of each workload, topic by topic: one row a figure, with the runs that it rests on.

A new kind of measurement has its rows here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from evabench.reporting.columns import BYTES, COUNTS, CYCLE, LOSSES, PHASES, PROBES, RATIO, STEP, TARGET
from evabench.reporting.pictures.convergence import convergence_picture, reached_picture
from evabench.reporting.pictures.cost import phases_picture, step_time_picture
from evabench.reporting.pictures.mechanism import directions_picture, rate_picture, shares_picture
from evabench.reporting.pictures.memory import memory_picture, timeline_picture
from evabench.reporting.pictures.picture import Picture
from evabench.reporting.pictures.styles import Looks
from evabench.reporting.report import WorkloadReport
from evabench.reporting.tables.clock import clock_table
from evabench.reporting.tables.convergence import convergence_table, reached_table
from evabench.reporting.tables.cost import cost_table, phases_table, step_table
from evabench.reporting.tables.counts import counts_table
from evabench.reporting.tables.directions import direction_table, followed_table
from evabench.reporting.tables.health import health_table
from evabench.reporting.tables.mechanism import (
    METHODS,
    SIDES,
    directions_table,
    shares_table,
    step_length_table,
    term_table,
)
from evabench.reporting.tables.memory import allocation_table, device_table, memory_table
from evabench.reporting.tables.rate import rate_table
from evabench.reporting.tables.table import Table
from evabench.reporting.tables.visit import energy_table, side_work_table

Make = Callable[[WorkloadReport, Looks], Table | Picture | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One figure of a workload."""

    key: str  # the first part of its address
    make: Make
    kinds: tuple[str, ...]
    how: str
    at_each_budget: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One section over all workloads."""

    id: str
    title: str
    short: str
    text: str
    figures: tuple[Made, ...]


def _of(make: Callable[[WorkloadReport], Table | Picture | None]) -> Make:
    """Return a maker that needs no looks."""
    return lambda workload, _: make(workload)


COST = Topic(
    id="cost",
    title="What a step costs",
    short="Cost",
    text="Plain steps, refreshes, and the step with its share of a refresh (amortised), which decides.",
    figures=(
        Made(key="step-time", make=step_time_picture, kinds=("step_time",), how=RATIO),
        Made(key="cost", make=_of(cost_table), kinds=("step_time", "memory"), how=RATIO),
        Made(key="cycle", make=_of(step_table), kinds=("step_time",), how=CYCLE),
        Made(key="side-work", make=_of(side_work_table), kinds=("step_time",), how=CYCLE),
        Made(key="energy", make=_of(energy_table), kinds=("step_time", "convergence"), how=STEP),
        Made(key="phases", make=_of(phases_picture), kinds=("phases",), how=PHASES),
        Made(key="phases-table", make=_of(phases_table), kinds=("phases",), how=PHASES),
        Made(key="counts", make=_of(counts_table), kinds=("counts",), how=COUNTS),
    ),
)
MEMORY = Topic(
    id="memory",
    title="What a step takes in memory",
    short="Memory",
    text="Live tensors are counted byte by byte; beside them stands what the allocator and the process had.",
    figures=(
        Made(key="memory", make=_of(memory_picture), kinds=("memory",), how=BYTES),
        Made(key="memory-table", make=_of(memory_table), kinds=("memory",), how=BYTES),
        Made(key="timeline", make=timeline_picture, kinds=("memory",), how=BYTES),
        Made(key="allocation", make=_of(allocation_table), kinds=("memory",), how=BYTES),
        Made(key="device", make=_of(device_table), kinds=("memory",), how=BYTES),
    ),
)
CONVERGENCE = Topic(
    id="convergence",
    title="How far each arm came",
    short="Convergence",
    text="Medians over seeds; each seed gives every arm the same initial weights and the same batches.",
    figures=(
        Made(
            key="convergence",
            make=convergence_picture,
            kinds=("convergence", "step_time"),
            how=TARGET,
            at_each_budget=True,
        ),
        Made(
            key="losses",
            make=_of(convergence_table),
            kinds=("convergence", "step_time"),
            how=TARGET,
            at_each_budget=True,
        ),
        Made(key="clock", make=_of(clock_table), kinds=("convergence", "step_time"), how=LOSSES, at_each_budget=True),
    ),
)
REACHED = Topic(
    id="target",
    title="When the target was reached",
    short="Time to target",
    text="Kaplan and Meier's estimate. It describes; the verdicts rest on paired ratios.",
    figures=(
        Made(key="reached", make=reached_picture, kinds=("convergence", "step_time"), how=TARGET, at_each_budget=True),
        Made(key="reached-table", make=_of(reached_table), kinds=("convergence",), how=TARGET, at_each_budget=True),
    ),
)
MECHANISM = Topic(
    id="mechanism",
    title="What the arms do to a gradient",
    short="Mechanism",
    text="",
    figures=(
        Made(key="followed", make=_of(followed_table), kinds=("directions",), how=PROBES),
        Made(key="directions", make=_of(direction_table), kinds=("directions",), how=PROBES),
        Made(key="shares", make=_of(shares_picture), kinds=("mechanism",), how=PROBES),
        *(
            Made(
                key=f"shares-{side.replace(' ', '-')}",
                make=_of(partial(shares_table, side=side)),
                kinds=("mechanism",),
                how=PROBES,
            )
            for side in SIDES
        ),
        Made(key="methods", make=_of(directions_picture), kinds=("mechanism",), how=PROBES),
        *(
            Made(
                key=f"{key}-{method.name.lower()}",
                make=_of(partial(make, method=method)),
                kinds=("mechanism",),
                how=PROBES,
            )
            for method in METHODS
            for key, make in (("cosines", directions_table), ("terms", term_table))
        ),
        Made(key="lengths", make=_of(step_length_table), kinds=("mechanism",), how=PROBES),
        Made(key="rate", make=rate_picture, kinds=("rate",), how=PROBES),
        Made(key="rate-table", make=_of(rate_table), kinds=("rate",), how=PROBES),
    ),
)
HEALTH = Topic(
    id="health",
    title="Health and coverage",
    short="Health",
    text="What the optimizers say of themselves.",
    figures=(Made(key="health", make=_of(health_table), kinds=(), how="Sums over all runs of an arm."),),
)
