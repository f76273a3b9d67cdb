"""The checks of the optimizers themselves: what `agreement` trains, as answers."""

from typing import Any

import torch

from evabench.optimizers import Eva
from evabench.optimizers.eva import compiled as backend
from evabench.stats.paired import PairedRatio
from evabench.units import format_ratio
from tools.gpu_check.agreement import (
    BUILDS,
    NETS,
    difference,
    fails_where_the_host_waits,
    steps_that_wait,
    trained,
)
from tools.gpu_check.answer import Answer, yes_if
from tools.gpu_check.bench import Bench, collector_at_rest
from tools.gpu_check.trainings import AE, AE_SMALL, start

CPU = torch.device("cpu")
_DOUBLE = 1e-6


def double_precision(bench: Bench) -> Answer:
    """Train every optimizer on CPU and device in float64, and in float32 beside it."""
    torch.backends.cudnn.allow_tf32 = False  # by default torch rounds the products of convolutions to 10 bits
    torch.backends.cudnn.deterministic = True
    rows = [_compared(bench, kind, arm) for kind in NETS for arm in BUILDS]
    beyond = [f"{row['net']}: {row['optimizer']}" for row in rows if not row["float64"] <= _DOUBLE]
    return Answer(
        answer=yes_if(not beyond, "no"),
        figure=f"float64: the largest difference is {max(row['float64'] for row in rows):.1e}; beyond {_DOUBLE:g}: "
        f"{beyond or 'none'}",
        rule=f"after 20 steps in float64 every parameter is the CPU's within {_DOUBLE:g} of the largest of its tensor",
        rows=tuple(rows),
    )


def _compared(bench: Bench, kind: str, arm: str) -> dict[str, Any]:
    exact = trained(kind, arm, CPU)
    single = trained(kind, arm, bench.device, torch.float32)
    return {
        "net": kind,
        "optimizer": arm,
        "float64": difference(trained(kind, arm, bench.device), exact),
        "float32 to float64 of the CPU": difference(single, exact),
        "the CPU's float32 to it": difference(trained(kind, arm, CPU, torch.float32), exact),
    }


def mixed_precision(bench: Bench) -> Answer:
    """Train every optimizer under autocast: bfloat16, and float16 with a loss scaler."""
    rows = [
        _mixed(bench, kind, arm, kept) for kind in NETS for arm in BUILDS for kept in (torch.bfloat16, torch.float16)
    ]
    bad = [f"{row['net']}: {row['optimizer']}, {row['autocast']}" for row in rows if row["trains"] != "yes"]
    return Answer(
        answer=yes_if(not bad, "no"),
        figure=f"{len(rows) - len(bad)} of {len(rows)} train; not so: {bad or 'none'}",
        rule="losses and parameters stay finite, every parameter moves, at least half of the steps are taken",
        rows=tuple(rows),
    )


def _mixed(bench: Bench, kind: str, arm: str, kept: torch.dtype) -> dict[str, Any]:
    row = {"net": kind, "optimizer": arm, "autocast": str(kept).removeprefix("torch.")}
    try:
        found = trained(kind, arm, bench.device, torch.float32, autocast=kept)
    except Exception as error:  # the other arms are to be tried all the same
        return {**row, "trains": f"{type(error).__name__}: {str(error).partition(chr(10))[0]}", "skipped": None}
    finite = all(bool(parameter.isfinite().all()) for parameter in found.parameters)
    well = finite and found.moved and found.num_skipped <= len(found.losses) / 2
    return {
        **row,
        "trains": "yes" if well else f"finite: {finite}, moved: {found.moved}",
        "skipped": found.num_skipped,
        "first loss": round(found.losses[0], 4),
        "last loss": round(found.losses[-1], 4),
    }


def no_waiting(bench: Bench) -> Answer:
    """Look for waits of the host in plain steps, by torch's warnings and then with each of them an error."""
    rows = []
    for kind in NETS:
        for arm in BUILDS:
            waits, places = steps_that_wait(kind, arm, bench.device)
            error = None if bench.dry else fails_where_the_host_waits(kind, arm, bench.device)
            plain = waits[1:] or waits
            rows.append(
                {
                    "net": kind,
                    "optimizer": arm,
                    "plain steps wait": any(plain),
                    "as an error": error or "none",
                    "refreshes wait": waits[0] if len(waits) > 1 else None,
                    "where": ", ".join(dict.fromkeys(places)),
                }
            )
    bad = [
        f"{row['net']}: {row['optimizer']}" for row in rows if row["plain steps wait"] or row["as an error"] != "none"
    ]
    return Answer(
        answer="not tried" if bench.dry else yes_if(not bad, "no"),
        figure=f"plain steps that wait: {bad or 'none'}; refreshes that wait: "
        f"{sorted({row['optimizer'] for row in rows if row['refreshes wait']}) or 'none'}",
        rule="in no plain step (zero_grad, forward, backward, step) does the host wait for the device",
        rows=tuple(rows),
    )


def compiled(bench: Bench) -> Answer:
    """Train Eva with and without `compile=True`; time both on the autoencoder."""
    if bench.dry:  # g++ would take minutes
        backend.BACKEND = "aot_eager"
    far = {
        kind: difference(
            trained(kind, lambda model: Eva(model, lr=0.05, compile=True), bench.device),
            trained(kind, "Eva", bench.device),
        )
        for kind in NETS
    }
    rows = []
    for net in (AE_SMALL, AE):
        eager, quick = start(bench, net, "Eva"), start(bench, net, "Eva, compiled")
        first = bench.clock.time_steps(quick.step, 1).block_seconds
        spent: dict[str, list[float]] = {"eager": [], "compiled": []}
        for training in (eager, quick):
            training.at_least(bench.few(30, 2))
        with collector_at_rest():
            for pair in range(bench.few(9, 2)):
                turns = [("eager", eager), ("compiled", quick)]
                for name, training in turns if pair % 2 else reversed(turns):
                    spent[name].append(bench.clock.time_steps(training.step, bench.few(30, 2)).block_seconds)
        ratio = PairedRatio(arm_values=tuple(spent["compiled"]), base_values=tuple(spent["eager"]))
        rows.append(
            {
                "net": net,
                "first step s": round(first, 2),
                "compiled over eager": format_ratio(ratio.estimate, ratio.low, ratio.high),
            }
        )
    return Answer(
        answer=yes_if(max(far.values()) <= _DOUBLE, "no"),
        figure=f"difference to eager in float64: {far}; {rows}",
        rule=f"compiled and eager are equal within {_DOUBLE:g}",
        rows=tuple(rows),
        values=far,
    )
