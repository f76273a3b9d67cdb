"""Do evabench's step times agree with a bare PyTorch loop? `python tools/bare_loop.py [--pairs N]`.

The loop below shares nothing with the package but the file of images (and, for Eva, the optimizer): it has a net, a
data reader and a clock of its own, and reads the clock at the two ends of a block only. Bare visits and visits of
evabench take turns, each in a fresh process on one thread, in an order that alternates. Prints the ratio
evabench / bare of each arm with its 95 % interval, whether 1 lies inside, and one of three answers about 2 %:

    equal       the 90 % interval lies inside 1 / 1.02 to 1.02 (two one-sided tests)
    DIFFERENT   an interval, of 95 % over all arms together, lies wholly outside
    undecided   neither: too few pairs for the noise of this machine

Whether 1 lies inside decides nothing: it does so for any harness where the pairs are few, and for none where they are
many, since a step of ours has a function call and a reading of the clock more. Exits with 1 where an arm is different,
else with 4 where one is undecided.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

WIDTHS, BATCH, WARMUP, STEPS = (784, 500, 250, 125, 30), 250, 20, 60
ARMS = ("SGD", "AdamW", "Eva")
MARGIN = 0.02


def bare_visit(arm, seed):
    """Return the seconds of a step in a plain loop."""
    import numpy
    import torch
    from torch import nn

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    images = numpy.load(Path(__file__).parent.parent / "evabench/workloads/embedded/fashion_mnist_subset.npz")
    pixels = torch.from_numpy(images["train_images"])
    pixels = pixels.reshape(len(pixels), -1).float() / 255
    batches = [pixels[torch.randint(len(pixels), (BATCH,))] for _ in range(16)]
    widths = [*WIDTHS, *WIDTHS[-2::-1]]
    layers = []
    for i in range(len(widths) - 1):
        layers.append(nn.Linear(widths[i], widths[i + 1]))
        if i not in (len(WIDTHS) - 2, len(widths) - 2):
            layers.append(nn.ReLU())
    model = nn.Sequential(*layers)
    if arm == "SGD":
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    elif arm == "AdamW":
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    else:
        from evabench.optimizers import Eva

        optimizer = Eva(model, lr=0.1)
    for i in range(WARMUP + STEPS):
        if i == WARMUP:
            start = time.perf_counter()
        batch = batches[i % 16]
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.mse_loss(model(batch), batch)
        loss.backward()
        optimizer.step()
    return (time.perf_counter() - start) / STEPS


def harness_visit(arm, seed):
    """Return the seconds of a step as evabench measures it."""
    from evabench.launch.server import LaunchServer
    from evabench.records.cell import Cell
    from evabench.records.measurement import StepTimeSettings
    from evabench.records.request import Request
    from evabench.settings.autoencoders import AutoencoderSettings
    from evabench.settings.eva import EvaSettings
    from evabench.settings.first_order import AdamWSettings, SgdSettings

    optimizer = {"SGD": SgdSettings(lr=0.1), "AdamW": AdamWSettings(lr=1e-3), "Eva": EvaSettings(lr=0.1)}[arm]
    cell = Cell(
        workload_name="bare",
        workload=AutoencoderSettings(widths=WIDTHS, batch=BATCH),
        arm=arm,
        optimizer=optimizer,
        measurement=StepTimeSettings(min_steps=STEPS),
    )
    with LaunchServer(layout_seed=f"bare {seed}") as server:
        reply = server.perform(Request(cell=cell, seed=seed, warmup_steps=WARMUP, timeout_seconds=600))
    assert reply.outcome.completed, reply.outcome
    return reply.measured.amortised_seconds


def main():
    """Compare, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--bare", nargs=2, metavar=("ARM", "SEED"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.bare:
        print(json.dumps(bare_visit(arguments.bare[0], int(arguments.bare[1]))))
        return 0
    answers = [_compare(arm, arguments.pairs) for arm in ARMS]
    print(f"load {os.getloadavg()[0]:.1f} in the last minute, {arguments.pairs} pairs an arm")
    return 1 if "DIFFERENT" in answers else 4 if "undecided" in answers else 0


def _compare(arm, num_pairs):
    from evabench.stats.equivalence import ratio_equivalence
    from evabench.stats.paired import paired_ratio
    from evabench.units import format_ratio, format_seconds

    seconds = {"bare": {}, "evabench": {}}
    for pair in range(num_pairs):
        for kind in ("bare", "evabench") if pair % 2 else ("evabench", "bare"):
            seconds[kind][pair] = harness_visit(arm, pair) if kind == "evabench" else _in_a_process(arm, pair)
    ratio = paired_ratio(seconds["evabench"], seconds["bare"])
    found = ratio_equivalence(ratio, MARGIN, alpha_different=0.05 / len(ARMS))
    answer = "DIFFERENT" if found == "different" else found
    step = format_seconds(sorted(ratio.base_values)[len(ratio.base_values) // 2])
    inside = "1 lies inside" if ratio.low <= 1 <= ratio.high else "1 lies outside"
    words = format_ratio(ratio.estimate, ratio.low, ratio.high)
    print(f"{arm:6} bare step {step}, evabench / bare {words}: {inside}; {answer}", flush=True)
    return answer


def _in_a_process(arm, seed):
    command = [sys.executable, __file__, "--bare", arm, str(seed)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return json.loads(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
