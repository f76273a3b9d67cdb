"""Pairs of timing visits of one and the same arm: what they differ by is the noise of this machine.

The visits are those of a suite: every pair has a launch server of its own, every visit is a fresh child, the warm-up is
that of a pilot, and the order alternates.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from evabench.errors import WorkerError
from evabench.launch.launcher import Launch, Launcher
from evabench.launch.server import LaunchServer
from evabench.records.cell import Cell
from evabench.records.measurement import Measured, StepTimeSettings, WarmUpSettings
from evabench.records.request import Request
from evabench.records.step_time import StepTime, WarmUp
from evabench.runner.session import Session, perform
from evabench.settings.autoencoders import AutoencoderSettings
from evabench.settings.first_order import SgdSettings
from evabench.stats.noise import Noise, noise_of
from evabench.units import Seconds

NET = AutoencoderSettings(widths=(784, 500, 250, 125, 30), batch=250)  # half of the paper's widths
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


def time_pairs(
    num_pairs: int, *, cell: Cell = CELL, done: Callable[[], None] = lambda: None, launch: Launch = LaunchServer
) -> list[SameArmPair]:
    """Time so many pairs of a cell of step times; `done` is called after the pilot and after each pair.

    Takes about 3 s per pair, most of it the import of torch. Raises `WorkerError` where a visit fails.
    """
    if num_pairs == 0:
        return []
    pilot_session = Session(layout="same arm, pilot", runs=(_visit(replace(cell, measurement=WarmUpSettings()), 0, 0),))
    (pilot,) = perform(pilot_session, launch, _ask)
    assert isinstance(pilot, WarmUp)
    done()
    pairs = []
    for number in range(1, num_pairs + 1):
        visit = _visit(cell, number, pilot.discarded_steps)
        visits = perform(Session(layout=f"same arm, pair {number}", runs=(visit, visit)), launch, _ask)
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


def _visit(cell: Cell, seed: int, warmup_steps: int) -> Request:
    return Request(cell=cell, seed=seed, warmup_steps=warmup_steps, timeout_seconds=_TIMEOUT_SECONDS)


def _ask(server: Launcher, request: Request) -> Measured:
    reply = server.perform(request)
    if reply.measured is None:
        last = "".join(reply.outcome.stderr_tail.strip().splitlines()[-1:])
        raise WorkerError(
            f"a timing visit did not complete ({reply.outcome.kind}): {reply.outcome.reason}. {last}".rstrip()
        )
    return reply.measured
