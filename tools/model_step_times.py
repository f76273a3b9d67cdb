"""What a step of each second-order optimizer costs over AdamW's, on the models of `model_coverage`.

    python -m tools.model_step_times [NAME ...] --out FILE [--arms ARM ...] [--batch N] [--seconds N] [--table]

Random weights, batches of two as in that module or of N, defaults of every optimizer, one thread, CPU time of a whole
iteration averaged over a refresh cycle behind the first step. Each line has a process and 120 seconds of it: what takes
longer (the inverse of a factor of 25,088 rows) is told as "over" the seconds that a step took at least. A call goes on
where FILE stops, for N seconds, and `--table` prints what FILE holds. docs/optimizer-cost.md has the table.
"""

import argparse
import json
import math
import multiprocessing
import time
import warnings
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

import psutil
import torch

from evabench.optimizers import build_optimizer
from evabench.settings.eva import EvaFSettings, EvaSettings, EvaSSettings
from evabench.settings.first_order import AdamWSettings
from evabench.settings.kronecker import FoofSettings, KfacSettings
from evabench.settings.optimizers import BuiltInSettings
from evabench.settings.shampoo import ShampooSettings
from tools.model_coverage import BATCH, MODELS

ARMS: dict[str, BuiltInSettings] = {
    "AdamW": AdamWSettings(lr=1e-6),
    "Eva": EvaSettings(lr=1e-6),
    "Eva-f": EvaFSettings(lr=1e-6),
    "Eva-s": EvaSSettings(lr=1e-6),
    "K-FAC": KfacSettings(lr=1e-6),
    "FOOF": FoofSettings(lr=1e-6),
    "Shampoo": ShampooSettings(lr=1e-6),
}
LEAST_STEPS = 5
LONGEST_SECONDS = 120.0  # of CPU time and of a line, its model's construction included


def num_steps(settings: BuiltInSettings) -> int:
    """Return the steps of a line: the first, which makes state and looks at the model, and those that count."""
    return 1 + settings.cycle_steps * (1 if settings.cycle_steps > 1 else LEAST_STEPS)


def measure(model_name: str, arm_name: str, batch: int) -> float | str:
    """Return CPU seconds of a step, or the reason why there is none."""
    torch.manual_seed(0)
    model, loss = MODELS[model_name](batch)
    model.train()
    settings = ARMS[arm_name]
    try:
        optimizer = build_optimizer(settings, model)
        spent = []
        for _ in range(num_steps(settings)):
            start = time.process_time()
            optimizer.zero_grad(set_to_none=True)
            loss(model).backward()
            optimizer.step()
            spent.append(time.process_time() - start)
    except (ValueError, RuntimeError) as problem:
        return str(problem).splitlines()[0]
    return median(spent[1:]) if settings.cycle_steps == 1 else sum(spent[1:]) / settings.cycle_steps


def measure_apart(model_name: str, arm_name: str, batch: int) -> dict[str, float | str]:
    """Return what a line says of the step: its seconds, the reason why there are none, or the least that it took."""
    mine, its = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=_send, args=(its, model_name, arm_name, batch))
    child.start()
    its.close()
    try:
        while not mine.poll(1.0):
            spent = psutil.Process(child.pid).cpu_times()
            if spent.user + spent.system > LONGEST_SECONDS:
                return {"over": LONGEST_SECONDS / num_steps(ARMS[arm_name])}
        return {"step": mine.recv()}
    except EOFError:
        child.join()
        return {"step": f"its process ended with code {child.exitcode}"}
    finally:
        child.kill()
        child.join()


def _send(end: Connection, model_name: str, arm_name: str, batch: int) -> None:
    end.send(measure(model_name, arm_name, batch))


def collect(names: list[str], arms: list[str], out: Path, batch: int, seconds: float) -> None:
    """Measure what the file lacks until the time is over."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    start = time.monotonic()
    done = {(one["model"], one["arm"]) for one in read(out) if one.get("batch", BATCH) == batch}
    for model_name in MODELS:
        if names and not any(each in model_name for each in names):
            continue
        for arm_name in arms:
            if (model_name, arm_name) in done:
                continue
            if time.monotonic() > start + seconds:
                print(f"next: {arm_name} on {model_name}. Call it again to go on.")
                return
            line = {"model": model_name, "arm": arm_name, "batch": batch} | measure_apart(model_name, arm_name, batch)
            with out.open("a") as lines:
                lines.write(json.dumps(line) + "\n")
    print("All are measured.")


def read(out: Path) -> list[dict[str, str | int | float]]:
    """Return the lines of a file, none where it is not there."""
    return [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []


def print_table(out: Path, batch: int) -> None:
    """Print the median ratio of each arm, and the models that are slowest; "over": at least so much.

    "All models" is the median if every model that was not measured were the slowest: it cannot be more.
    """
    steps: dict[str, dict[str, float]] = {}
    at_least: set[tuple[str, str]] = set()
    for one in (line for line in read(out) if line.get("batch", BATCH) == batch):
        model_name, arm_name = str(one["model"]), str(one["arm"])
        step = one.get("over", one.get("step"))
        if not isinstance(step, float):
            continue
        steps.setdefault(model_name, {})[arm_name] = step
        if "over" in one:
            at_least.add((model_name, arm_name))
    print("| optimizer | models | median over AdamW | of all models at most | the five that are slowest |")
    print("|---|---:|---:|---:|---|")
    for arm in [each for each in ARMS if each != "AdamW"]:
        ratios = {name: of[arm] / of["AdamW"] for name, of in steps.items() if arm in of and "AdamW" in of}
        if not ratios:
            continue
        slowest = sorted(ratios.items(), key=lambda pair: -pair[1])[:5]
        words = ", ".join(
            f"{name.partition(' ')[2]} {'over ' if (name, arm) in at_least else ''}{ratio:.1f}"
            for name, ratio in slowest
        )
        of_all = median([*ratios.values(), *[math.inf] * (len(MODELS) - len(ratios))])
        most = "" if math.isinf(of_all) else f"{of_all:.2f}x"
        print(f"| {arm} | {len(ratios)} | {median(ratios.values()):.2f}x | {most} | {words} |")


def main() -> None:
    """Measure, or print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", help="parts of the names of models; none: all")
    parser.add_argument(
        "--arms", nargs="+", choices=list(ARMS), default=list(ARMS), metavar="ARM", help=", ".join(ARMS)
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument("--batch", type=int, default=BATCH, metavar="N", help="samples")
    parser.add_argument("--seconds", type=float, default=110.0, help="of this call")
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    if arguments.table:
        print_table(arguments.out, arguments.batch)
    else:
        collect(arguments.names, arguments.arms, arguments.out, arguments.batch, arguments.seconds)


if __name__ == "__main__":
    main()
