"""A store of many runs in the shape of the quick start: `python -m tests.benchmarks.large_store FOLDER [--times N]`.

The suite is the quick start with as many sweeps and seeds as `--times` says, and each run is a real one of
`results/reference/` with the cell, seed, sweep and key of its place, its seconds and losses moved by a few per cent
drawn from its seed. With `--times 800` that is 9,630 runs.
"""

import argparse
import random
import re
from dataclasses import replace
from pathlib import Path

from evabench.machine.host import read_host
from evabench.records.convergence import Convergence
from evabench.records.memory import Memory
from evabench.records.run import Visit
from evabench.records.step_time import StepTime, WarmUp
from evabench.runner.plan import make_plan
from evabench.store.files import RunStore
from evabench.suite.reading import load_suite

ROOT = Path(__file__).parent.parent.parent
# Real runs of each kind, of the same optimizer where there is one.
SOURCES = {Convergence: "peers", WarmUp: "peers", StepTime: "peers", Memory: "memory"}
SUITE = "large.toml"


def write_store(folder, times):
    """Write the suite and its runs into a folder; return how many runs there are."""
    folder.mkdir(parents=True, exist_ok=True)
    text = (ROOT / "suites" / "quickstart.toml").read_text()
    text = re.sub(r"sweeps = \d+", f"sweeps = {times}", text)
    text = text.replace("seeds = 8\nfirst_seed = 100\n", f"seeds = {times}\nfirst_seed = 100\n")
    text = text.replace("[directions]\nseeds = 2\n", "")  # few, whatever the times, and no reference run is one
    # A target in numbers: no judged run waits for others, and the plan holds all of them.
    text = text.replace('reference = "AdamW"\nat = 0.75\n', 'value = 0.5\nprovenance = "of this store"\n')
    (folder / SUITE).write_text(text.replace('name = "quickstart"', 'name = "large"'))
    suite, host = load_suite(str(folder / SUITE)), read_host()
    plan = make_plan(suite, (), host, repeat=False)
    templates = {kind: real_runs(name, kind) for kind, name in SOURCES.items()}
    runs = [made(planned, templates, host) for session in plan.sessions for planned in session.runs]
    RunStore(folder / "results" / suite.name / host.id / "runs.jsonl").append(runs)
    return len(runs)


def real_runs(name, kind):
    """Return the completed runs of one kind, by the kind of their optimizer."""
    runs = RunStore(ROOT / "results" / "reference" / name / "runs.jsonl").load()
    runs = [run for run in runs if run.outcome.completed and isinstance(run.measured, kind)]
    return {run.cell.optimizer.optimizer: run for run in runs}


def made(planned, templates, host):
    kind = {"convergence": Convergence, "warm_up": WarmUp, "step_time": StepTime, "memory": Memory}[
        planned.cell.measurement.measurement
    ]
    of_kind = templates[kind]
    template = of_kind.get(planned.cell.optimizer.optimizer) or next(iter(of_kind.values()))
    draw = random.Random(f"{planned.cell.arm} {planned.seed} {planned.sweep}")
    visit = None
    if planned.sweep is not None:
        visit = Visit(sweep=planned.sweep, position=planned.position, warmup_steps=10)
    return replace(
        template,
        key=planned.key,
        cell=planned.cell,
        seed=planned.seed,
        visit=visit,
        host=host,
        environment=planned.environment,
        code=planned.code,
        measured=varied(template.measured, planned.cell.optimizer.cycle_steps, draw),
    )


def varied(measured, cycle_steps, draw):
    """Return a measurement a few per cent away, whole cycles of the optimizer where it is one of steps."""
    factor = draw.uniform(0.97, 1.03)
    match measured:
        case StepTime():
            steps = tuple(factor * draw.uniform(0.98, 1.02) * seconds for seconds in measured.step_seconds)
            steps = steps[: len(steps) // cycle_steps * cycle_steps]
            return replace(measured, step_seconds=steps, block_seconds=(sum(steps),), cycle_steps=cycle_steps)
        case Convergence():
            return replace(
                measured,
                evaluations=tuple(
                    replace(one, validation_loss=factor * one.validation_loss, seconds=factor * one.seconds)
                    for one in measured.evaluations
                ),
            )
    return measured


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--times", type=int, default=800)
    arguments = parser.parse_args()
    print(write_store(arguments.folder, arguments.times), "runs")
