"""A session: runs that share one server. Servers are opened here and nowhere else."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event
from typing import Generic, TypeVar

from evabench.launch.launcher import Launch, Launcher

T = TypeVar("T")  # a run that is to be made
R = TypeVar("R")  # what has come of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Session(Generic[T]):
    """A pilot, a sweep, a repeat, a probe, a pair of equal arms: what they have in common."""

    layout: str  # draws the hash seed and the memory layout of its server; no two sessions of a call share it
    runs: tuple[T, ...]  # in the order in which they are made
    alone: bool = True  # on the machine; else several servers make these runs at once, in any order
    whole: bool = True  # half of it is worth nothing: its runs count when all of them have ended


def perform(
    session: Session[T],
    launch: Launch,
    make: Callable[[Launcher, T], R],
    *,
    ended: Callable[[Sequence[R]], None] = lambda results: None,
    jobs: int = 1,
) -> tuple[R, ...]:
    """Make the runs of a session, at most `jobs` at once where it is not alone, and return what has come of them.

    `ended` is told of the results that count from now on: one by one, or all at the end of a session that is whole.
    """
    if not session.alone and jobs > 1 and len(session.runs) > 1:
        return _deal(session, launch, make, ended, min(jobs, len(session.runs)))
    results: list[R] = []
    with launch(layout_seed=session.layout) as server:
        for run in session.runs:
            results.append(make(server, run))
            if not session.whole:
                ended(results[-1:])
    if session.whole:
        ended(results)
    return tuple(results)


def _deal(
    session: Session[T],
    launch: Launch,
    make: Callable[[Launcher, T], R],
    ended: Callable[[Sequence[R]], None],
    jobs: int,
) -> tuple[R, ...]:
    assert not session.whole, "what belongs together is made by one server"
    with ExitStack() as stack, ThreadPoolExecutor(jobs) as pool:
        free: SimpleQueue[Launcher] = SimpleQueue()
        started = [launch(layout_seed=f"{session.layout} job {index}") for index in range(jobs)]  # all at the same time
        for server in started:
            free.put(stack.enter_context(server))
        given_up = Event()

        def make_one(run: T) -> R:
            server = free.get()
            try:
                result = make(server, run)
            finally:
                free.put(server)
            if not given_up.is_set():
                ended([result])
            return result

        try:
            return tuple(done.result() for done in [pool.submit(make_one, run) for run in session.runs])
        except BaseException:  # Ctrl-C, or a disk that is full: nobody waits for what is left
            given_up.set()
            pool.shutdown(wait=False, cancel_futures=True)
            for server in started:
                server.abandon()
            raise
