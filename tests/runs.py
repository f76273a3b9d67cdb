"""Cells, and runs made up for storing and judging: exact step times, exact steps to a target, exact bytes."""

from dataclasses import replace

from evabench.findings.goals import Goal
from evabench.records.cell import Cell
from evabench.records.code import Code
from evabench.records.conditions import Conditions
from evabench.records.convergence import Convergence, Evaluation
from evabench.records.environment import Environment
from evabench.records.host import Host, Processor
from evabench.records.measurement import ConvergenceSettings, MemorySettings, StepTimeSettings
from evabench.records.memory import LiveBytes, Memory, PeakBytes
from evabench.records.run import Outcome, Run, Visit
from evabench.records.set_target import SetTarget
from evabench.records.step_time import StepTime
from evabench.settings.autoencoders import AutoencoderSettings
from evabench.settings.eva import EvaSettings
from evabench.settings.first_order import SgdSettings
from evabench.settings.kronecker import KfacSettings
from evabench.settings.shampoo import ShampooSettings

HOST = Host(
    processors=(Processor(name="a plain CPU"),),
    num_cpus=2,
    memory_bytes=2**33,
    gpus=(),
    gpu_driver=None,
    system="Linux",
    python="3.11",
)
ENVIRONMENT = Environment(torch="2.6", numpy="2.2", others={})
GPU = replace(HOST, gpus=("a GPU",))
CODE = Code(version="0", commit=None, dirty=None, hashes={"shared": "s"})
QUIET = Conditions(jobs=1, threads=1, load_1min=0.5, steal_share=None, foreign_cpu_share=None)

SMALL = AutoencoderSettings(widths=(784, 16, 4), batch=50)
NET = AutoencoderSettings(widths=(784, 500, 250), batch=250)  # 36 steps an epoch
ARMS = {
    "SGD": SgdSettings(lr=1.0),
    "Eva": EvaSettings(),
    "K-FAC@1": KfacSettings(refresh_every=1),
    "K-FAC@10": KfacSettings(refresh_every=10),
    "Shampoo": ShampooSettings(refresh_every=10),
}
TARGET = 0.5
TIMELINE = tuple(
    LiveBytes(phase=phase, live_bytes=size)
    for phase, size in (("forward", 2000), ("forward", 2500), ("backward", 3000), ("optimizer", 2000))
)
TARGETS = {"autoencoder": Goal(TARGET)}
EVERY = 4
BUDGET = 72


def cell(arm="SGD", measurement=None, *, optimizer=None, name="autoencoder", net=NET, threads=1):
    return Cell(
        workload_name=name,
        workload=net,
        arm=arm,
        optimizer=optimizer or ARMS[arm],
        measurement=measurement or MemorySettings(),
        threads=threads,
    )


def run(arm="SGD", measurement=None, measured=None, *, seed=0, sweep=None, outcome="completed", **where):
    made = cell(arm, measurement, **where)
    return Run(
        key=f"{arm}-{made.measurement.measurement}-{made.workload_name}-{made.workload.shape}-{seed}-{sweep}",
        cell=made,
        seed=seed,
        visit=None if sweep is None else Visit(sweep=sweep, position=0, warmup_steps=10),
        host=HOST,
        environment=ENVIRONMENT,
        code=CODE,
        conditions=QUIET,
        outcome=Outcome(kind=outcome, reason=None, stderr_tail=""),
        measured=measured,
        started="2026-01-01T00:00:00Z",
    )


def failed(made, kind):
    return replace(made, outcome=Outcome(kind=kind, reason=f"it {kind}", stderr_tail=""), measured=None)


def visits(arm, seconds, num=7, **where):
    """Timing runs of a pilot that is never judged and of `num` sweeps, alternately 1 % slower and faster."""
    return [
        run(
            arm,
            StepTimeSettings(),
            StepTime(
                step_seconds=(spread * seconds,) * 30,
                block_seconds=(spread * seconds * 30,),
                latency_seconds=None,
                cycle_steps=1,
                warmup_steps=10,
            ),
            sweep=sweep,
            **where,
        )
        for sweep, spread in [(0, 99.0), *((i, 1.01 if i % 2 else 0.99) for i in range(1, num + 1))]
    ]


def training(arm, seed, steps, budget=BUDGET, **where):
    """One training run that hits `TARGET` after so many steps, a multiple of `EVERY`; None: it never does."""
    evaluations = tuple(
        Evaluation(step=at, seconds=0.01 * at, validation_loss=TARGET if steps and at >= steps else 1.0)
        for at in range(EVERY, budget + 1, EVERY)
    )
    measured = Convergence(evaluations=evaluations, training_losses=(), test_loss=1.0, budget_steps=budget)
    settings = ConvergenceSettings(steps=budget, evaluate_every=EVERY)
    return run(arm, settings, measured, seed=seed, **where)


def trainings(arm, steps, **where):
    return [training(arm, seed, count, **where) for seed, count in enumerate(steps, start=1)]


def target_set_by(arm="SGD", value=TARGET, *, easier=0.9, harder=TARGET, budget=BUDGET, **where):
    """A target that eight runs of an arm have set, at half, 75 % and 95 % of their budget."""
    settings = ConvergenceSettings(steps=budget, evaluate_every=EVERY)
    return SetTarget(
        cell=replace(cell(arm, settings, **where), role="sets_target"),
        metric="loss",
        at=0.75,
        value=value,
        easier=easier,
        harder=harder,
        num_hits=8,
        run_keys=tuple(f"target-{seed}" for seed in range(8)),
    )


def judged_by(target, runs):
    """The runs, with the hash of their target where they are training runs."""
    return [
        replace(one, cell=replace(one.cell, target=target.hash))
        if isinstance(one.cell.measurement, ConvergenceSettings)
        else one
        for one in runs
    ]


def memory(arm, scale, curvature_bytes, net=NET, **where):
    scaled = net.scaled(scale)
    peak = PeakBytes(
        parameters=1000,
        gradients=1000,
        activations=500,
        optimizer_state=0,
        statistics=curvature_bytes,
        batch=10,
        temporaries=5,
    )
    measured = Memory(
        num_parameters=250,
        parameter_bytes=1000,
        state_bytes=1000 + curvature_bytes,
        curvature_state_bytes=curvature_bytes,
        peak=peak,
        peak_phase="optimizer",
        peak_layer=None,
        timeline=TIMELINE,
        allocator_peak_bytes=None,
        workspace_bytes=None,
        workspace_operator=None,
        rss_high_water_bytes=None,
    )
    name = where.pop("name", f"autoencoder x{scale}")
    return run(arm, MemorySettings(), measured, name=name, net=scaled, **where)


def vectors(net):
    return sum(4 * (a + b) for a, b in zip(net.widths, net.widths[1:], strict=False))


def factors(net):
    return sum(4 * (a * a + b * b) for a, b in zip(net.widths, net.widths[1:], strict=False))


def memories(arm, bytes_of, scales=(0.2, 0.4, 0.6, 0.8, 1.0), **where):
    return [memory(arm, scale, bytes_of(NET.scaled(scale)), **where) for scale in scales]


def noisy(runs, share=0.05):
    """Timing visits whose steps differ by a share from sweep to sweep, in a pattern that no other arm has."""

    def at(sweep, blocks):
        return tuple(block * (1 + share * (sweep % 3)) for block in blocks)

    return [
        replace(one, measured=replace(one.measured, block_seconds=at(one.visit.sweep, one.measured.block_seconds)))
        for one in runs
    ]
