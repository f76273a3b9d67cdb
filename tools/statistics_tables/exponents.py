"""C4-time: the exponent of a cost above its measured constant, from sweeps of the suite `scaling`."""

from collections.abc import Callable
from statistics import median

import numpy as np

from evabench.claims.judgement import Verdict
from evabench.stats.drift import INDEPENDENT, Place, Resemblance, resemblance
from evabench.stats.interval import Bounds, Unbounded
from evabench.stats.power_law import CONSTANT_WIDTH, PowerLaw, fit_power_law
from evabench.stats.trimmed import trimmed_mean
from tools.statistics_tables.draws import SEED, Design, Random, places, slowdowns
from tools.statistics_tables.table import Row, Table, share
from tools.statistics_tables.verdicts import TOLERANCE, claim, verdicts

WIDTHS = (112, 160, 224, 320, 448, 560, 672, 784, 896)  # those of the suite
SGD_CONSTANT, SGD_WIDEST = 0.1, 0.9  # ms: what does not grow, and what grows with d^2 up to the widest
OWN_CONSTANT, OWN_WIDEST = 0.2, 0.8  # ms, of the arm's own work
SWEEPS = 16
NOISES = ("normal", "drift", "bursts")
THRESHOLD = 2 * (1 + TOLERANCE)
EXPONENTS = (1.5, 1.8, THRESHOLD, 2.5, 3.0)
NUM_POWERS = 5  # a power is a thousand simulated experiments
MAX_DRAWS = 1000  # away from the boundary, each with sixteen sweeps at ten widths

Rule = Callable[[list[Place], float], Resemblance]


def exponent_table(num: int) -> Table:
    """Return the answers to "at most d^2" for several true exponents, in sweeps of three arms."""
    rows = [_row(exponent, noise, num) for noise in NOISES for exponent in EXPONENTS]
    headings = (
        f"time (C4), at most d^2; truth ({min(num, MAX_DRAWS)} experiments, {num} at the boundary)",
        "supported",
        "refuted",
        "the design would refute a d^3 in",
        "before: supported",
        "before: refuted",
    )
    return Table(title="Exponent of a cost", headings=headings, rows=tuple(rows))


def _row(exponent: float, noise: str, num: int) -> Row:
    asked, found, at_boundary = claim("at_most", 2.0, "cost_exponent"), [], exponent == THRESHOLD
    num = num if at_boundary else min(num, MAX_DRAWS)
    for rule in (resemblance, _independent):
        told = verdicts(np.random.default_rng(SEED), asked, [lambda r, one=rule: _bounds(r, exponent, noise, one)], num)
        found += [share(told[one], num) for one in (Verdict.SUPPORTED, Verdict.REFUTED)]
    name = f"d^{exponent:g}{', the boundary' if at_boundary else ''} ({noise})"
    return (name, *found[:2], f"{_power(exponent, noise):.0%}", *found[2:])


def _independent(_: list[Place], __: float) -> Resemblance:
    """Return what the rule from before took: nothing in common."""
    return INDEPENDENT


def _law(random: Random, exponent: float, noise: str, rule: Rule = resemblance) -> PowerLaw | None:
    costs, design = {}, Design(sweeps=SWEEPS, arms=3, noise=noise)
    stood = list(places(design).values())
    for width in (CONSTANT_WIDTH, *WIDTHS):
        logs = slowdowns(random, design)
        sgd = SGD_CONSTANT + SGD_WIDEST * (width / WIDTHS[-1]) ** 2
        own = OWN_CONSTANT + (OWN_WIDEST * (width / WIDTHS[-1]) ** exponent if width > CONSTANT_WIDTH else 0.0)
        arm, base = (sgd + own) * np.exp(logs[:, 0]), sgd * np.exp(logs[:, -1])
        alike = rule(stood, float(np.median(base) / np.median(arm)))
        costs[width] = alike.allowed_for(trimmed_mean([float(one) / 1e3 for one in arm - base]))
    return fit_power_law(costs)


def _bounds(random: Random, exponent: float, noise: str, rule: Rule) -> Bounds:
    return _law(random, exponent, noise, rule) or Unbounded()


def _power(exponent: float, noise: str) -> float:
    random = np.random.default_rng(SEED)
    laws = [_law(random, exponent, noise) for _ in range(NUM_POWERS)]
    return median(law.power_against_cube(THRESHOLD, 0.05) for law in laws if law)
