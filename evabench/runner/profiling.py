"""Profiles of one or two cells: each in a fresh child of one launch server, as a run of a suite."""

from collections.abc import Sequence

from evabench.errors import WorkerError
from evabench.launch.launcher import Launch, Launcher
from evabench.launch.server import LaunchServer
from evabench.records.cell import Cell
from evabench.records.profile import Profile
from evabench.records.request import Request
from evabench.runner.session import Session, perform
from evabench.units import Seconds


def profile_cells(
    cells: Sequence[Cell], *, timeout_seconds: Seconds, device_index: int = 0, launch: Launch = LaunchServer
) -> tuple[Profile, ...]:
    """Return the profile of each cell, one after the other. Raises `WorkerError` where a run does not complete."""

    def profile(server: Launcher, cell: Cell) -> Profile:
        request = Request(cell=cell, seed=0, warmup_steps=0, timeout_seconds=timeout_seconds, device_index=device_index)
        reply = server.perform(request)
        if not isinstance(reply.measured, Profile):
            raise WorkerError(f"{cell.title}: the run did not complete ({reply.outcome.kind}): {reply.outcome.reason}")
        return reply.measured

    return perform(Session(layout="profile", runs=tuple(cells)), launch, profile)
