"""Pairs of timing visits of one and the same arm: what they differ by is the noise of this machine.

The visits are those of a suite: every pair has a launch server of its own, every visit is a fresh child, the warm-up is
that of a pilot, and the order alternates.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from evabench.errors import WorkerError
from evabench.launch.server import LaunchServer
from evabench.records.cell import Cell
from evabench.records.measurement import Measured, StepTimeSettings, WarmUpSettings
from evabench.records.request import Request
from evabench.records.step_time import StepTime, WarmUp
from evabench.settings.autoencoders import AutoencoderSettings
from evabench.settings.first_order import SgdSettings
from evabench.stats.noise import Noise, noise_of
from evabench.units import Seconds

NET = AutoencoderSettings(widths=(784, 500, 250, 125, 30), batch=250)  # of the quick start
CELL = Cell(
    workload_name="autoencoder",
    workload=NET,
    arm="SGD",
    optimizer=SgdSettings(lr=1.0),
    measurement=StepTimeSettings(),
    subnormals="flush",
)
_TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SameArmPair:
    """Two visits of one launch server, and which of the two equal arms came first."""

    first_arm_seconds: Seconds  # amortised
    second_arm_seconds: Seconds
    second_arm_came_first: bool

    @property
    def log_ratio(self) -> float:
        """Return log(second arm / first arm)."""
        return math.log(self.second_arm_seconds / self.first_arm_seconds)


def time_pairs(num_pairs: int, *, cell: Cell = CELL, done: Callable[[], None] = lambda: None) -> list[SameArmPair]:
    """Time so many pairs of a cell of step times; `done` is called after the pilot and after each pair.

    Takes about 3 s a pair, most of it the import of torch. Raises `WorkerError` where a visit fails.
    """
    if num_pairs == 0:
        return []
    with LaunchServer(layout_seed="same arm, pilot") as server:
        pilot = _ask(server, replace(cell, measurement=WarmUpSettings()), seed=0)
    assert isinstance(pilot, WarmUp)
    done()
    pairs = []
    for number in range(1, num_pairs + 1):
        with LaunchServer(layout_seed=f"same arm, pair {number}") as server:
            visits = [_ask(server, cell, number, pilot.discarded_steps) for _ in range(2)]
        swapped = number % 2 == 0
        times = [visit.amortised_seconds for visit in visits if isinstance(visit, StepTime)]
        first, second = reversed(times) if swapped else times
        pairs.append(SameArmPair(first_arm_seconds=first, second_arm_seconds=second, second_arm_came_first=swapped))
        done()
    return pairs


def noise_of_pairs(pairs: Sequence[SameArmPair]) -> Noise | None:
    """Return the noise; None where the pairs are too few."""
    return noise_of(
        [pair.log_ratio for pair in pairs if not pair.second_arm_came_first],
        [pair.log_ratio for pair in pairs if pair.second_arm_came_first],
    )


def _ask(server: LaunchServer, cell: Cell, seed: int, warmup_steps: int = 0) -> Measured:
    request = Request(cell=cell, seed=seed, warmup_steps=warmup_steps, timeout_seconds=_TIMEOUT_SECONDS)
    reply = server.perform(request)
    if reply.measured is None:
        last = "".join(reply.outcome.stderr_tail.strip().splitlines()[-1:])
        raise WorkerError(
            f"a timing visit did not complete ({reply.outcome.kind}): {reply.outcome.reason}. {last}".rstrip()
        )
    return reply.measured
