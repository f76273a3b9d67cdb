"""Profiles of one or two cells: each in a fresh child of one launch server, as a run of a suite."""

from collections.abc import Sequence

from evabench.errors import WorkerError
from evabench.launch.server import LaunchServer
from evabench.records.cell import Cell
from evabench.records.profile import Profile
from evabench.records.request import Request
from evabench.units import Seconds


def profile_cells(cells: Sequence[Cell], *, timeout_seconds: Seconds) -> tuple[Profile, ...]:
    """Return the profile of each cell, one after the other. Raises `WorkerError` where a run does not complete."""
    with LaunchServer(layout_seed="profile") as server:
        return tuple(_profile(server, cell, timeout_seconds) for cell in cells)


def _profile(server: LaunchServer, cell: Cell, timeout_seconds: Seconds) -> Profile:
    reply = server.perform(Request(cell=cell, seed=0, warmup_steps=0, timeout_seconds=timeout_seconds))
    if not isinstance(reply.measured, Profile):
        raise WorkerError(f"{cell.title}: the run did not complete ({reply.outcome.kind}): {reply.outcome.reason}")
    return reply.measured
