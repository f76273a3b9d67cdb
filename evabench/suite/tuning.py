"""[tuning]: trials of every arm, and the rule that chooses its settings from them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Annotated, Literal

from annotated_types import MinLen
from pydantic import Discriminator, Tag

from evabench.settings.bounds import FORBID, Count, Seed
from evabench.settings.choices import TAG, Value
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.points import at_point

MAX_POINTS = 1000  # an arm

# Of the points of which no trial failed, the one with the lowest median of the final validation loss over the seeds. A
# trial fails where it does not get to the end of its budget, or ends no lower than it began.
Rule = Literal["lowest_median"]

Grid = Annotated[Mapping[str, Annotated[tuple[Value, ...], MinLen(1)]], MinLen(1)]
_Grids = Annotated[
    Annotated[Grid, Tag(f"{TAG}table")] | Annotated[tuple[Grid, ...], MinLen(1), Tag(f"{TAG}list")],
    Discriminator(lambda found: f"{TAG}list" if isinstance(found, list | tuple) else f"{TAG}table"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningTable:
    """[tuning]: what `evabench run SUITE --tune` tries.

    An arm has a grid, or several whose points are added up: each names settings with their values, and every
    combination of them is a point. What a grid does not name is as the suite's arm has it. Every trained arm has the
    same number of points, and every trial the same number of steps.
    """

    __pydantic_config__ = FORBID
    seeds: Count
    first_seed: Seed = 1000  # tuning seeds are never judged, and set no target
    workload: str | None = None  # None: the only one
    steps: Count | None = None  # of a trial; None: the budget of [convergence], its schedule in any case
    evaluate_every: Count | None = None  # None: as in [convergence]; only the first and the last one choose
    rule: Rule = "lowest_median"
    trials: str | None = None  # a file of runs, seen from the suite's: counts where this host has fewer trials
    arms: Mapping[str, _Grids]

    @property
    def run_seeds(self) -> range:
        """Return the tuning seeds."""
        return range(self.first_seed, self.first_seed + self.seeds)

    def grids(self, arm: str) -> tuple[Grid, ...]:
        """Return the grids of an arm; none where it is not tuned."""
        found = self.arms.get(arm, ())
        return (found,) if isinstance(found, Mapping) else found

    def num_points(self, arm: str) -> int:
        """Return how many points an arm has, without making them."""
        return sum(prod(len(values) for values in grid.values()) for grid in self.grids(arm))

    def points(self, arm: str, settings: OptimizerSettings) -> Iterator[OptimizerSettings]:
        """Yield the settings of each point of an arm. Raises `ValidationError` for one that its optimizer refuses."""
        for grid in self.grids(arm):
            for values in product(*grid.values()):
                yield at_point(settings, dict(zip(grid, values, strict=True)))
