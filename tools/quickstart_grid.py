"""Tune the arms of a suite on one grid of equal size: `python tools/quickstart_grid.py [SUITE] [--jobs N]`.

Every arm gets the 12 points of its settings' `search` (learning rate x one other), each trained once to the suite's
own budget with a seed that no judged run uses. The best point is the one with the lowest final validation loss. The
script prints it, says where a best learning rate lies at the edge of its grid, and prints the validation loss that the
tuned SGD had at 75 % of the budget. Runs are stored in `results/<suite>-grid/`, and a second call goes on.
"""

import argparse
import itertools
from dataclasses import replace
from pathlib import Path

from evabench.records.convergence import Convergence
from evabench.records.run import Run
from evabench.runner.campaign import Campaign
from evabench.runner.host import read_host
from evabench.runner.plan import make_plan
from evabench.store.files import RunStore
from evabench.suite import Suite, load_suite

TUNING_SEED = 1000
TARGET_AT = 0.75  # of the budget


def grid_of(suite: Suite) -> Suite:
    """Return a suite of the same budget with an arm for each point of each arm's grid."""
    arms = {}
    for name, settings in suite.arms.items():
        for values in itertools.product(*settings.search.values()):
            point = dict(zip(settings.search, values, strict=True))
            label = ", ".join(f"{key} {value:g}" for key, value in point.items())
            arms[f"{name}: {label}"] = replace(settings, **point)
    assert suite.convergence
    training = replace(suite.convergence, seeds=1, first_seed=TUNING_SEED, without=(), targets={})
    return replace(suite, name=f"{suite.name}-grid", arms=arms, step_time=None, memory=None, convergence=training)


def final_loss(run: Run) -> float:
    """Return the final validation loss; a run that did not get there is worse than any."""
    loss = run.measured.final_validation_loss if isinstance(run.measured, Convergence) else None
    return float("inf") if loss is None else loss


def main() -> None:
    """Run what is missing, then print the best point of each arm."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("suite", nargs="?", default="quickstart")
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    suite, host = load_suite(arguments.suite), read_host()
    grid = grid_of(suite)
    store = RunStore(Path("results") / grid.name / host.id / "runs.jsonl")
    Campaign(
        store=store,
        host=host,
        timeout_seconds=grid.timeout_seconds,
        layout_seed=0,
        jobs=arguments.jobs,
    ).run(make_plan(grid, store.load(), host))
    runs = make_plan(grid, store.load(), host).stored
    for name, settings in suite.arms.items():
        trials = sorted((run for run in runs if run.cell.arm.startswith(f"{name}: ")), key=final_loss)
        best = trials[0]
        rates = settings.search["lr"]
        edge = " (at the EDGE of its learning rates)" if best.cell.optimizer.lr in (rates[0], rates[-1]) else ""
        print(f"{best.cell.arm}: {final_loss(best):.4f} of {len(trials)} trials{edge}")
        if name == "SGD" and isinstance(best.measured, Convergence):
            due = TARGET_AT * best.measured.budget_steps
            at = next(point for point in best.measured.evaluations if point.step >= due)
            print(f"  target: {at.validation_loss} (tuned SGD at step {at.step} of {best.measured.budget_steps})")


if __name__ == "__main__":
    main()
