"""Two sides without processes: every visit takes the time that a test says."""

import random
from dataclasses import dataclass, field
from pathlib import Path

from evabench.gate.sides import SideCode, Sides
from evabench.records.measurement import PhasesSettings, StepTimeSettings, WarmUpSettings
from evabench.records.phases import Phases
from evabench.records.request import ChildReply
from evabench.records.run import Outcome
from evabench.records.step_time import StepTime, WarmUp
from tests.fake_launcher import COMPLETED, FakeLauncher


@dataclass
class FakeMachine:
    """Starts servers of either side. The file `times` of a folder says which side it is, and how slow it is."""

    sd: float = 0.02
    seed: int = 0
    folder_factor: dict = field(default_factory=dict)  # what a folder makes slower by itself
    finds: float = 1.0  # the share of planted work that takes time here
    fails: dict = field(default_factory=dict)  # by the name of a code: what its visits end with
    started: list = field(default_factory=list)

    def __post_init__(self):
        self.random = random.Random(self.seed)

    def __call__(self, *, layout_seed, python, expected, path):
        folder = Path(expected.package).parent
        self.started.append(FakeLauncher(layout_seed, lambda request: self.answer(folder, request)))
        return self.started[-1]

    def answer(self, folder, request):
        name, step, own = (folder / "times").read_text().split()
        if name in self.fails:
            return ChildReply(
                outcome=Outcome(kind="crashed", reason=self.fails[name], stderr_tail=""), measured=None, threads=1
            )
        factor = self.folder_factor.get(folder.name, 1.0) * (1 + self.random.gauss(0, self.sd))
        match request.cell.measurement:
            case WarmUpSettings():
                measured = WarmUp(window_steps=10, window_median_seconds=(1.0, 1.0), steady_after_steps=10)
            case StepTimeSettings():
                seconds = float(step) * factor + self.finds * spin(request.cell)
                measured = StepTime(
                    step_seconds=(seconds,),
                    block_seconds=(seconds,),
                    latency_seconds=None,
                    cycle_steps=1,
                    warmup_steps=request.warmup_steps,
                )
            case PhasesSettings():
                parts = {
                    "forward": 0.004,
                    "precondition": float(own) * factor + self.finds * spin(request.cell),
                    "update": 0.0,
                }
                measured = Phases(cycle_steps=1, steps=(parts,), plain_seconds=(0.01,))
        return ChildReply(outcome=COMPLETED, measured=measured, threads=1)


def sides_of(tmp_path, machine, *, base=(0.010, 0.002), head=(0.010, 0.002)):
    """Return two sides on the disk; each is the seconds of a step, and of the optimizer's own part of it."""
    codes = {}
    for name, folder, (step, own) in (("base", "side-a", base), ("head", "side-b", head)):
        place = tmp_path / folder
        (place / "evabench").mkdir(parents=True)
        (place / "times").write_text(f"{name} {step} {own}")
        codes[name] = SideCode(title=name, folder=place, package=place / "evabench", python="python")
    return Sides(base=codes["base"], head=codes["head"], start=machine)


def spin(cell):
    """Return the seconds that a self-test has planted in a cell."""
    return getattr(cell.optimizer, "options", {}).get("spin_seconds", 0.0)
