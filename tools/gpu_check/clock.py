"""The clock of a GPU (point 7): events against the wall, and whether a tenth of a step tells who waits for whom."""

from dataclasses import replace
from functools import partial
from statistics import median
from typing import Any

import torch

from evabench.measurement.timing.clock import Clock, TimedBlock, time_visit
from evabench.records.measurement import StepTimeSettings
from evabench.records.step_time import StepTime
from tools.gpu_check.answer import Answer, yes_if
from tools.gpu_check.bench import Bench
from tools.gpu_check.trainings import AE, AE_SMALL, RESNET, WIDE, start

VISITS = {
    AE_SMALL: ("SGD", "AdamW", "Eva", "Eva-f", "K-FAC@10", "Shampoo@10"),
    AE: ("SGD", "AdamW", "Eva", "Eva-f", "K-FAC@10", "Shampoo@10"),
    RESNET: ("SGD", "AdamW", "Eva", "Eva-f", "K-FAC@10", "Shampoo@10"),
    WIDE: ("SGD", "AdamW", "Eva", "Eva-f", "K-FAC@10"),  # Shampoo's eigenvectors would take minutes
}
_SETTINGS = StepTimeSettings(min_steps=30, min_cycles=1)
_OF_CYCLES = replace(_SETTINGS, min_steps=10)
# A step that is nothing but launches: (kernels a step, elements of each, whether the device waits for the host).
_LAUNCHES = (
    (500, 1, True),
    (5_000, 1, True),
    (200, 1 << 23, False),
    (1_000, 1 << 23, False),
    (3_000, 1 << 23, False),
    (6_000, 1 << 23, False),
    (9_000, 1 << 23, False),
    (20_000, 1 << 23, False),
)


def two_clocks(bench: Bench) -> Answer:
    """Time visits of real nets: the device's events must add up to the wall time of the block."""
    rows = [two_clocks_of(bench, net, arm) for net, arms in VISITS.items() for arm in arms]
    apart = [abs(row["events/wall - 1"]) for row in rows if row["events/wall - 1"] is not None]
    beyond = [f"{row['net']}: {row['arm']}" for row in rows if abs(row["events/wall - 1"] or 0) > 0.02]
    return Answer(
        answer="not tried" if not apart else yes_if(not beyond),
        figure=f"of {len(rows)} visits {len(beyond)} are beyond 2 % {beyond or ''}; the largest difference is "
        f"{max(apart, default=0):.4f}, the median {median(apart) if apart else 0:.4f}",
        rule="events and wall clock agree within 2 % in every block",
        rows=tuple(rows),
    )


def two_clocks_of(bench: Bench, net: str, arm: str) -> dict[str, Any]:
    """Return what one visit says."""
    training = start(bench, net, arm)
    settings = _OF_CYCLES if training.cycle_steps > 1 else _SETTINGS
    visit = time_visit(
        training.step,
        bench.clock,
        replace(settings, min_steps=2) if bench.dry else settings,
        training.cycle_steps,
        warmup_steps=-(-bench.few(10, 1) // training.cycle_steps) * training.cycle_steps,
    )
    row = {"net": net, "arm": arm, **seconds_of(visit)}
    del training
    bench.release()
    return row


def seconds_of(visit: StepTime) -> dict[str, Any]:
    """Return what a visit says, in milliseconds per step."""
    apart, host = visit.clock_disagreement, visit.host_seconds
    return {
        "step ms": round(1e3 * visit.amortised_seconds, 4),
        "plain ms": round(1e3 * visit.plain_seconds, 4),
        "refresh ms": None if visit.refresh_seconds is None else round(1e3 * visit.refresh_seconds, 3),
        "latency ms": None if visit.latency_seconds is None else round(1e3 * median(visit.latency_seconds), 4),
        "events/wall - 1": None if apart is None else round(apart, 5),
        "host share": None if host is None else round(sum(host) / sum(visit.block_seconds), 4),
        "lag / step": None if host is None else round(lag_in_steps(visit), 3),
        "host bound": visit.host_bound,
    }


def lag_in_steps(visit: StepTime) -> float:
    """Return how long the device worked on after the host had queued the last step, in steps."""
    assert visit.host_seconds is not None
    lag = sum(visit.block_seconds) - sum(visit.host_seconds)
    return lag / len(visit.block_seconds) / visit.amortised_seconds


def visit_of(block: TimedBlock, cycle_steps: int) -> StepTime:
    """Return a block as the record that knows what it means."""
    return StepTime(
        step_seconds=block.step_seconds,
        block_seconds=(block.block_seconds,),
        latency_seconds=None,
        cycle_steps=cycle_steps,
        warmup_steps=0,
        host_seconds=None if block.host_seconds is None else (block.host_seconds,),
    )


def tenth_of_a_step(bench: Bench) -> Answer:
    """Label steps whose truth is known by construction, up to steps far longer than the launch queue."""
    made = _LAUNCHES if not bench.dry else ((20, 1, True), (20, 4096, False))
    rows = [
        {"made so": host_bound, **launched(bench, num_kernels, num_elements)}
        for num_kernels, num_elements, host_bound in made
    ]
    return label_answer(rows)


def label_answer(rows: list[dict[str, Any]]) -> Answer:
    """Return whether the rule named every step as it was made."""
    wrong = [f"{row['kernels']} of {row['elements']}" for row in rows if row["host bound"] != row["made so"]]
    depths = [row["kernels behind"] for row in rows if not row["made so"] and row["kernels behind"]]
    tried = any(row["host bound"] is not None for row in rows)
    return Answer(
        answer="not tried" if not tried else yes_if(not wrong),
        figure=f"{len(rows) - len(wrong)} of {len(rows)} made-up steps are named right; wrong: {wrong or 'none'}; "
        f"at the end of a block the device was at most {max(depths, default=0):.0f} kernels behind the host: the queue",
        rule="a lag of less than a tenth of a step is found exactly where the kernels are shorter than their launches",
        rows=tuple(rows),
    )


def launched(bench: Bench, num_kernels: int, num_elements: int) -> dict[str, Any]:
    """Return the label of a step that is so many kernels on tensors of so many elements."""
    x = torch.ones(num_elements, device=bench.device)
    step = partial(_launch, x, num_kernels)
    step()
    return {"elements": num_elements, **labelled(bench.clock, step, num_kernels, num_steps=3)}


def labelled(clock: Clock, step: Any, num_kernels: int, num_steps: int) -> dict[str, Any]:
    """Return the label of a step of so many equal kernels."""
    visit = visit_of(clock.time_steps(step, num_steps), cycle_steps=1)
    lag = None if visit.host_seconds is None else lag_in_steps(visit)
    return {
        "kernels": num_kernels,
        "step ms": round(1e3 * visit.amortised_seconds, 3),
        "us a kernel": round(1e6 * visit.amortised_seconds / num_kernels, 3),
        "lag / step": None if lag is None else round(lag, 4),
        "kernels behind": None if lag is None else round(lag * num_kernels),
        "host bound": visit.host_bound,
    }


def _launch(x: torch.Tensor, num_kernels: int) -> None:
    for _ in range(num_kernels):
        x.mul_(1.0)
