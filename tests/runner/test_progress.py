"""What is seen while runs are made: lines where there is no bar, and a first table after a minute."""

import io

import pytest
from rich.console import Console

from evabench.runner.heartbeat import Heartbeat
from evabench.runner.planned_run import PlannedRun
from evabench.runner.progress import RunProgress
from tests.runs import CODE, ENVIRONMENT, cell, run

PLANNED = PlannedRun(key="k", cell=cell("Eva"), seed=0, environment=ENVIRONMENT, code=CODE)


class Clock:
    """Stands still until it is set."""

    seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


def piped():
    return Console(file=io.StringIO(), width=200)


def test_a_heartbeat_tells_at_every_interval_until_it_is_over():
    waits, told = [], []

    def wait(seconds):
        waits.append(seconds)
        return len(waits) > 3

    with Heartbeat(lambda: told.append(len(waits)), every=30.0, wait=wait) as heartbeat:
        heartbeat._thread.join()
    assert (waits, told) == ([30.0] * 4, [1, 2, 3])


def test_leaving_ends_a_heartbeat_that_waits():
    with Heartbeat(lambda: None, every=1e6) as heartbeat:
        pass
    assert not heartbeat._thread.is_alive()


def test_a_line_says_how_far_it_has_come_what_runs_now_and_when_it_will_be_ready(clock):
    console = piped()
    with RunProgress(console, 12, now=clock) as progress:
        progress.begin(PLANNED)
        progress.advance(PLANNED)
        clock.seconds = 95.0
        progress.begin(PLANNED)
        progress.tell()
    assert console.file.getvalue() == ("1:35  1 of 12 runs, 11 left, ready in about 17:25. Now Eva: memory\n")


def test_only_where_there_is_no_terminal_is_there_a_heartbeat():
    in_terminal = RunProgress(Console(file=io.StringIO(), force_terminal=True), 1)
    assert in_terminal._heartbeat is None
    assert RunProgress(piped(), 1)._heartbeat is not None


def test_the_first_look_comes_after_a_minute_once(clock):
    looks = []

    def first_look():
        looks.append(clock.seconds)
        return len(looks) == 2  # there was nothing to show at first

    with RunProgress(piped(), 12, first_look=first_look, now=clock) as progress:
        for second in (1, 59, 60, 61, 74, 75, 200):
            clock.seconds = float(second)
            progress.done(run())
    assert looks == [60, 75]
