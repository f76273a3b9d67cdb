"""What a step of each optimizer costs over SGD's on this device: interleaved blocks, paired ratios."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from time import monotonic
from typing import Any

from evabench.measurement.timing.clock import TimedBlock
from evabench.nvml.library import Nvml
from evabench.stats.paired import PairedRatio
from evabench.units import format_ratio
from tools.gpu_check.answer import Answer, yes_if
from tools.gpu_check.bench import Bench, clocks_of, collector_at_rest, precision
from tools.gpu_check.clock import lag_in_steps, visit_of
from tools.gpu_check.trainings import AE, RESNET, Training, start

# Cheap and dear arms are kept apart, each beside an SGD of its own, so that a pair is short.
CHEAP = ("SGD, fused", "AdamW", "AdamW, fused", "Eva", "Eva-f", "Eva-s", "M-FAC")
DEAR = ("SGD, fused", "K-FAC@1", "K-FAC@10", "FOOF@10", "FOOF@10, cholesky", "Shampoo@10", "Shampoo@10, newton")
_PAIRS = 9
_MIN_STEPS = 30
_LONGEST_BLOCK = 1.5  # seconds; a block of more than one cycle is cut to one where it would be longer


@dataclass(slots=True, kw_only=True)
class _Arm:
    training: Training
    num_steps: int
    blocks: list[TimedBlock] = field(default_factory=list)

    @property
    def seconds(self) -> tuple[float, ...]:
        """Return the amortised step of each visit."""
        return tuple(block.block_seconds / self.num_steps for block in self.blocks)


def autoencoder(bench: Bench) -> Answer:
    """Time the cheap arms on the autoencoder."""
    return _cost(bench, AE, CHEAP, max_seconds=40)


def autoencoder_dear(bench: Bench) -> Answer:
    """Time the arms with refreshes on the autoencoder."""
    return _cost(bench, AE, DEAR, max_seconds=45)


def resnet(bench: Bench) -> Answer:
    """Time the cheap arms on ResNet-32."""
    return _cost(bench, RESNET, CHEAP, max_seconds=45)


def resnet_dear(bench: Bench) -> Answer:
    """Time the arms with refreshes on ResNet-32."""
    return _cost(bench, RESNET, DEAR, max_seconds=45)


def _cost(bench: Bench, net: str, names: Sequence[str], max_seconds: float) -> Answer:
    deadline = monotonic() + max_seconds
    arms = {name: _ready(bench, net, name) for name in ("SGD", *names)}
    with Nvml() as nvml, collector_at_rest():
        gpu = bench.gpu(nvml)
        clocks = [clocks_of(gpu)]
        longest = 0.0
        for pair in range(bench.few(_PAIRS, 2)):
            begun = monotonic()
            if begun + longest > deadline:
                break
            order = list(arms.values())
            for arm in order if pair % 2 else reversed(order):
                if arm.training.cycle_steps == 1:  # the caches are full of another arm's tensors
                    arm.training.cycles(3)
                arm.blocks.append(bench.clock.time_steps(arm.training.step, arm.num_steps))
            clocks.append(clocks_of(gpu))
            longest = max(longest, monotonic() - begun)
    rows = [_row(name, arm, arms) for name, arm in arms.items()]
    num_pairs = len(arms["SGD"].blocks)
    bound = [row["arm"] for row in rows if row["host bound"]]
    return Answer(
        answer="not tried" if bench.dry else yes_if(num_pairs >= 6),
        figure=f"{net}, {num_pairs} pairs; "
        + "; ".join(f"{row['arm']} {row['over SGD']}" for row in rows[1:])
        + f"; the device waits for the host in: {bound or 'none'}",
        rule="six pairs or more: then the intervals mean something; the table is the result",
        rows=tuple(rows),
        values={
            "clocks": clocks,
            "precision": precision(),
            "seconds": {name: arm.seconds for name, arm in arms.items()},
            "num_steps": {name: arm.num_steps for name, arm in arms.items()},
        },
    )


def _ready(bench: Bench, net: str, name: str) -> _Arm:
    """Return an arm behind its warm-up, with a block of whole cycles."""
    training = start(bench, net, name)
    training.at_least(bench.few(20, 1))
    cycle = training.cycle_steps
    step_seconds = bench.clock.time_steps(training.step, cycle).block_seconds / cycle
    num_steps = -(-bench.few(_MIN_STEPS, 2) // cycle) * cycle
    if step_seconds * num_steps > _LONGEST_BLOCK:
        num_steps = cycle
    return _Arm(training=training, num_steps=num_steps)


def _row(name: str, arm: _Arm, arms: dict[str, _Arm]) -> dict[str, Any]:
    visits = [visit_of(block, arm.training.cycle_steps) for block in arm.blocks]
    on_a_gpu = visits[0].host_seconds is not None
    bound = [visit.host_bound for visit in visits]
    return {
        "arm": name,
        "step ms": round(1e3 * median(arm.seconds), 4),
        "over SGD": _over(arm, arms["SGD"]),
        "over SGD, fused": _over(arm, arms["SGD, fused"]),
        "plain ms": round(1e3 * median(visit.plain_seconds for visit in visits), 4),
        "refresh ms": _refresh(visits),
        "steps a block": arm.num_steps,
        "host bound": sum(map(bool, bound)) > len(bound) / 2 if on_a_gpu else None,
        "lag / step": round(median(map(lag_in_steps, visits)), 3) if on_a_gpu else None,
        "largest |events/wall - 1|": round(max(abs(visit.clock_disagreement or 0) for visit in visits), 4),
    }


def _over(arm: _Arm, base: _Arm) -> str:
    if arm is base:
        return "1"
    ratio = PairedRatio(arm_values=arm.seconds, base_values=base.seconds)
    return format_ratio(ratio.estimate, ratio.low, ratio.high)


def _refresh(visits: list[Any]) -> float | None:
    found = [visit.refresh_seconds for visit in visits if visit.refresh_seconds is not None]
    return round(1e3 * median(found), 3) if found else None
