"""Several workloads, several baselines, and baselines at other rates."""

import numpy as np

from evabench.stats.interval import Bounds
from evabench.stats.paired import PairedRatio
from evabench.stats.strongest import Greatest
from tools.statistics_tables.draws import SEED, Design, Random, step_times, times
from tools.statistics_tables.table import Table, share
from tools.statistics_tables.verdicts import TOLERANCE, both, claim, errors_and_power, verdicts

MAX_DRAWS = 1000  # each with four workloads


def workloads_table(num: int) -> Table:
    """Return the errors over four workloads, each at its boundary, and the power where all lie beyond it."""
    threshold, rows, num = 1 - TOLERANCE, [], min(num, MAX_DRAWS)
    for relation, truths in (("at_least", (1.0, 1.5, 1 / 1.5)), ("up_to", (1.0, 1.5, 1 / 1.5))):
        found = []
        for truth in truths:
            draws = [lambda r, t=truth: times(r, threshold * t, Design())] * 4
            found.append(both(verdicts(np.random.default_rng(SEED), claim(relation, 1.0), draws, num), num))
        rows.append((f"{relation}, four workloads", *found[0], found[1][0], found[2][1]))
    within = claim("equal_within", 0.1, "step_time_ratio")
    for sweeps in (6, 12):
        design = Design(sweeps=sweeps)
        at = errors_and_power(within, lambda r, truth, d=design: step_times(r, truth, d), (1.1, 1.0, 1.25), num)
        rows.append((f"equal_within 10 %, {design.timed}", *at))
    headings = (
        f"relation, {num} experiments",
        "false supported",
        "false refuted",
        "power: supported (all at 1.5x; equal)",
        "power: refuted (all at 1/1.5x; 1.25x)",
    )
    return Table(title="Several workloads, and equality", headings=headings, rows=tuple(rows))


def bases_table(num: int) -> Table:
    """Return the errors against the stronger of two equal baselines: all of them counted, or the best one chosen."""
    asked = claim("at_most", 1.2, "step_time_ratio")
    threshold = 1.2 * (1 + TOLERANCE)

    def several(r: Random) -> list[PairedRatio]:
        return [step_times(r, threshold, Design()) for _ in range(2)]

    def chosen(r: Random) -> Bounds:
        return max(several(r), key=lambda one: one.estimate)

    rows = []
    rules = (("both count", lambda r: Greatest(several(r))), ("the stronger one of the judged runs is chosen", chosen))
    for name, draw in rules:
        found = verdicts(np.random.default_rng(SEED), asked, [draw], num)
        rows.append((name, *both(found, num)))
    headings = ("step time, at most 1.2x that of two bases", "false supported", "false refuted")
    return Table(title="Two baselines of equal strength", headings=headings, rows=tuple(rows))


def rates_table(num: int) -> Table:
    """Return how often a base is called badly tuned whose rate is as good as both others, or a hundredth worse."""
    random, rows = np.random.default_rng(SEED), []
    for worse in (0.0, 0.02, 0.06, 0.1):
        accused = 0
        for _ in range(num):
            judged = random.normal(worse, 0.03, 8).min()
            accused += any(random.normal(0, 0.03, 2).max() < judged for _ in range(2))
        rows.append((f"{100 * worse:g} % worse than at both", share(accused, num)))
    headings = ("a base whose loss at its own rate is (sd 3 %)", "inconclusive for it")
    return Table(title="Bases at a third and three times their rate", headings=headings, rows=tuple(rows))
