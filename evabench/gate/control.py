"""The negative controls: they say whether this machine can time anything now, and whether both sides measure alike.

A control is pairs of equal visits, of `torch.optim.SGD` on a loop that no change of an optimizer touches:

    same code       the base against a second copy of the base
    measuring code  the base against the head, where the files that measure differ between them

A control is *invalid* where its two-sided 99 % interval lies wholly above +2 % or wholly below -2 %. It is tried once
more with fresh pairs. A second failure is exit 5: no timed answer is given then.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from evabench.gate.pairs import SIDES, Pair
from evabench.gate.rules import STEP, Test
from evabench.gate.timed import Series, TimedCell, time_pair
from evabench.records.cell import Cell
from evabench.records.measurement import StepTimeSettings
from evabench.settings.autoencoders import AutoencoderSettings
from evabench.settings.first_order import SgdSettings
from evabench.settings.strict import Strict
from evabench.stats.trimmed import trimmed_mean

ControlName = Literal["same code", "measuring code"]

NUM_PAIRS = 9
_TOLERANCE, _ALPHA = 0.02, 0.005
WARM_UP_STEPS = 20
CELL = Cell(
    workload_name="control",
    workload=AutoencoderSettings(widths=(784, 128, 64, 32), batch=100),
    arm="SGD",
    optimizer=SgdSettings(lr=0.1),
    measurement=StepTimeSettings(),
    subnormals="flush",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Control(Strict):
    """One try at a control. Its bounds are shares: 0.02 is 2 %."""

    name: ControlName
    pairs: tuple[Pair, ...]
    reason: str | None = None  # why it has too few pairs

    @property
    def interval(self) -> tuple[float, float]:
        """Return the two-sided 99 % interval of second / first, less 1."""
        found = trimmed_mean([pair.log_ratio for pair in self.pairs])
        return math.expm1(found.lower_bound(_ALPHA)), math.expm1(found.upper_bound(_ALPHA))

    @property
    def valid(self) -> bool:
        """Return whether equal sides were measured as equal."""
        if len(self.pairs) < NUM_PAIRS:
            return False
        low, high = self.interval
        return low <= _TOLERANCE and high >= -_TOLERANCE


class ControlSeries:
    """Makes the pairs of a control one by one, so that they lie between the pairs that they stand for."""

    def __init__(self, name: ControlName, series: Series, device: str) -> None:
        self.name: ControlName = name
        self._series = series
        self._cell = TimedCell(
            name=name,
            cells=dict.fromkeys(SIDES, replace(CELL, device=device)),
            tests={"step": Test(margins=STEP, num_tests=1)},
        )
        self._pairs: list[Pair] = []
        self._reason: str | None = None

    @property
    def whole(self) -> bool:
        """Return whether it needs no more pairs, or cannot have them."""
        return len(self._pairs) >= NUM_PAIRS or self._reason is not None

    def make_one(self) -> None:
        """Make one more pair, unless it is whole."""
        if self.whole:
            return
        made = time_pair(self._cell, len(self._pairs) + 1, WARM_UP_STEPS, self._series)["step"]
        if isinstance(made, str):
            self._reason = made
        else:
            self._pairs.append(made)

    def finish(self) -> Control:
        """Make what is missing, and return it."""
        while not self.whole:
            self.make_one()
        return Control(name=self.name, pairs=tuple(self._pairs), reason=self._reason)


def last_tries(controls: Sequence[Control]) -> dict[ControlName, Control]:
    """Return the last try at each control: it is the one that counts."""
    return {control.name: control for control in controls}
