"""Times and steps to a target, and step times."""

from dataclasses import dataclass, replace

import numpy as np

from evabench.claims.judgement import Verdict
from evabench.stats.drift import INDEPENDENT
from evabench.stats.two_noises import TimeRatio
from tools.statistics_tables.draws import SEED, Design, step_times, steps, times
from tools.statistics_tables.table import Table, share
from tools.statistics_tables.verdicts import ERRORS, TOLERANCE, around, claim, errors_and_power, verdicts

DESIGNS = (
    Design(sd=0.03, noise="normal"),
    Design(sd=0.03),
    Design(sd=0.03, arms=5),
    Design(sd=0.03, cadence=1 / 5),
    Design(),
    Design(noise="bursts"),
    Design(seeds=16, sweeps=12),
)
STEPS = (Design(sd=0.03), Design(), Design(sd=0.03, cadence=1 / 5), Design(seeds=16))
TIMED = (
    Design(noise="normal"),
    Design(),
    Design(arms=5),
    Design(sweeps=8, arms=6),
    Design(arms=20),
    Design(noise="normal", arms=20),
    Design(noise="bursts"),
    Design(sweeps=12),
    Design(sweeps=16, arms=3),
)


@dataclass(frozen=True, slots=True)
class OneNoise:
    """The rule from before: the step time as a point, and hits where they were evaluated."""

    time: TimeRatio

    def lower_bound(self, alpha: float) -> float:
        """Return the bound of the steps, times a number."""
        return self.time.steps.at_hits.lower_bound(alpha) * self.time.step_time_estimate

    def upper_bound(self, alpha: float) -> float:
        """Return the bound of the steps, times a number."""
        return self.time.steps.at_hits.upper_bound(alpha) * self.time.step_time_estimate


def times_table(num: int) -> Table:
    """Return the errors of a time to target, beside those of the rule from before."""
    asked, threshold, rows = claim("at_least", 1.0), 1 - TOLERANCE, []
    for one in DESIGNS:
        random = np.random.default_rng(SEED)
        before = verdicts(random, asked, [lambda r, d=one: OneNoise(times(r, threshold, d))], num)
        now = errors_and_power(asked, lambda r, truth, d=one: times(r, truth, d), around(threshold, up=True), num)
        rows.append((one.words, *now, share(before[Verdict.SUPPORTED], num), share(before[Verdict.REFUTED], num)))
    headings = ("time to target, at least 1x", *ERRORS, "before: false supported", "before: false refuted")
    return Table(title="Time to target, both noises", headings=headings, rows=tuple(rows))


def steps_table(num: int) -> Table:
    """Return the errors of a ratio of steps to a target."""
    asked, threshold, rows = claim("at_least", 1.0, "steps_to_target_ratio"), 1 - TOLERANCE, []
    for one in STEPS:
        found = errors_and_power(asked, lambda r, truth, d=one: steps(r, truth, d), around(threshold, up=True), num)
        rows.append((f"{one.seeds} seeds (sd {100 * one.sd:g} %), cadence 1/{1 / one.cadence:g}", *found))
    return Table(title="Steps to target", headings=("steps to target, at least 1x", *ERRORS), rows=tuple(rows))


def coverage_table(num: int) -> Table:
    """Return how often the shown 95 % interval of a time ratio, and of a ratio of step times, holds the truth."""
    rows = []
    for one in DESIGNS:
        random, inside = np.random.default_rng(SEED), 0
        for _ in range(num):
            shown = times(random, 1.3, one).interval
            inside += shown is not None and shown.low <= 1.3 <= shown.high
        rows.append((f"time to target: {one.words}", share(inside, num)))
    for one in TIMED:
        random, inside = np.random.default_rng(SEED), 0
        for _ in range(num):
            ratio = step_times(random, 1.3, one).interval
            inside += ratio.low <= 1.3 <= ratio.high
        rows.append((f"step time: {one.timed}", share(inside, num)))
    headings = ("95 % interval", "holds the truth")
    return Table(title="Coverage of the interval that is shown", headings=headings, rows=tuple(rows))


def step_time_table(num: int) -> Table:
    """Return the errors of a ratio of step times, beside those of a t interval that takes sweeps for independent."""
    asked, rows = claim("at_most", 1.2, "step_time_ratio"), []
    threshold = 1.2 * (1 + TOLERANCE)
    for one in TIMED:
        now = errors_and_power(asked, lambda r, truth, d=one: step_times(r, truth, d), around(threshold, up=False), num)
        random = np.random.default_rng(SEED)
        before = verdicts(
            random, asked, [lambda r, d=one: replace(step_times(r, threshold, d), resemblance=INDEPENDENT)], num
        )
        rows.append((one.timed, *now, share(before[Verdict.SUPPORTED], num), share(before[Verdict.REFUTED], num)))
    headings = ("step time, at most 1.2x", *ERRORS, "before: false supported", "before: false refuted")
    return Table(title="Step time", headings=headings, rows=tuple(rows))
