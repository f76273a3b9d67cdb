"""A launcher without processes, for the logic of those who are handed one."""

from dataclasses import dataclass, field
from threading import Event

from evabench.records.measurement import ProbeSettings, StepTimeSettings, WarmUpSettings
from evabench.records.probe import Probe
from evabench.records.request import ChildReply, Request, lost
from evabench.records.run import Outcome
from evabench.records.step_time import StepTime, WarmUp

COMPLETED = Outcome(kind="completed", reason=None, stderr_tail="")


def measure(request: Request) -> ChildReply:
    """Return what a child on a perfect machine would: a step takes a millisecond."""
    match request.cell.measurement:
        case WarmUpSettings():
            measured = WarmUp(window_steps=10, window_median_seconds=(1.0, 1.0), steady_after_steps=10)
        case StepTimeSettings():
            measured = StepTime(
                step_seconds=(0.001, 0.001),
                block_seconds=(0.002,),
                latency_seconds=None,
                cycle_steps=1,
                warmup_steps=request.warmup_steps,
            )
        case ProbeSettings():
            measured = Probe(peak_bytes=1000, rss_high_water_bytes=1000)
        case _:
            measured = None
    return ChildReply(outcome=COMPLETED, measured=measured, threads=1)


@dataclass
class FakeLaunch:
    """Starts fake launchers, and keeps them: `answer` replies to a request, and may lose it."""

    answer: object = measure
    started: list = field(default_factory=list)

    def __call__(self, *, layout_seed):
        self.started.append(FakeLauncher(layout_seed, self.answer))
        return self.started[-1]

    @property
    def requests(self):
        return [request for one in self.started for request in one.requests]


@dataclass
class FakeLauncher:
    """One that is running; what it was asked for, and whether it still is."""

    layout_seed: str
    answer: object
    requests: list = field(default_factory=list)
    open: bool = False
    abandoned: Event = field(default_factory=Event)

    def __enter__(self):
        self.open = True
        return self

    def __exit__(self, *_):
        self.open = False

    def perform(self, request):
        assert self.open
        self.requests.append(request)
        return self.answer(request)

    def abandon(self):
        self.abandoned.set()


def losing(*numbers):
    """Return an answer that loses the requests with these numbers, counted from 1 over all launchers."""
    asked = []

    def answer(request):
        asked.append(request)
        return lost("its launch server was killed by SIGKILL") if len(asked) in numbers else measure(request)

    return answer
