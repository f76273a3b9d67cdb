"""C4-time: the exponent of a cost above its measured constant, from sweeps of the suite `scaling`."""

from statistics import median

import numpy as np

from evabench.claims.judgement import Verdict
from evabench.stats.interval import Bounds, Unbounded
from evabench.stats.power_law import CONSTANT_WIDTH, PowerLaw, fit_power_law
from evabench.stats.trimmed import trimmed_mean
from tools.statistics_tables.draws import SEED, Design, Random, slowdowns
from tools.statistics_tables.table import Table, share
from tools.statistics_tables.verdicts import TOLERANCE, claim, verdicts

WIDTHS = (112, 160, 224, 320, 448, 560, 672, 784, 896)  # those of the suite
SGD_CONSTANT, SGD_WIDEST = 0.1, 0.9  # ms: what does not grow, and what grows with d^2 up to the widest
OWN_CONSTANT, OWN_WIDEST = 0.2, 0.8  # ms, of the arm's own work
SWEEPS = 16
THRESHOLD = 2 * (1 + TOLERANCE)
EXPONENTS = (1.5, 1.8, THRESHOLD, 2.5, 3.0)
NUM_POWERS = 5  # a power is a thousand simulated experiments
MAX_DRAWS = 1000  # each with sixteen sweeps at ten widths


def exponent_table(num: int) -> Table:
    """Return the answers to "at most d^2" for several true exponents, in sweeps of three arms."""
    asked, rows, num = claim("at_most", 2.0, "cost_exponent"), [], min(num, MAX_DRAWS)
    for noise in ("normal", "drift"):
        for exponent in EXPONENTS:
            found = verdicts(np.random.default_rng(SEED), asked, [lambda r, p=exponent, n=noise: _bounds(r, p, n)], num)
            name = f"d^{exponent:g}{', the boundary' if exponent == THRESHOLD else ''} ({noise})"
            shares = (share(found[one], num) for one in (Verdict.SUPPORTED, Verdict.REFUTED))
            rows.append((name, *shares, f"{_power(exponent, noise):.0%}"))
    headings = (
        f"time (C4), at most d^2; truth, {num} experiments",
        "supported",
        "refuted",
        "the design would refute a d^3 in",
    )
    return Table(title="Exponent of a cost", headings=headings, rows=tuple(rows))


def _law(random: Random, exponent: float, noise: str) -> PowerLaw | None:
    costs = {}
    for width in (CONSTANT_WIDTH, *WIDTHS):
        logs = slowdowns(random, Design(sweeps=SWEEPS, arms=3, noise=noise))
        sgd = SGD_CONSTANT + SGD_WIDEST * (width / WIDTHS[-1]) ** 2
        own = OWN_CONSTANT + (OWN_WIDEST * (width / WIDTHS[-1]) ** exponent if width > CONSTANT_WIDTH else 0.0)
        differences = (sgd + own) * np.exp(logs[:, 0]) - sgd * np.exp(logs[:, 1])
        costs[width] = trimmed_mean([float(one) / 1e3 for one in differences])
    return fit_power_law(costs)


def _bounds(random: Random, exponent: float, noise: str) -> Bounds:
    return _law(random, exponent, noise) or Unbounded()


def _power(exponent: float, noise: str) -> float:
    random = np.random.default_rng(SEED)
    laws = [_law(random, exponent, noise) for _ in range(NUM_POWERS)]
    return median(law.power_against_cube(THRESHOLD, 0.05) for law in laws if law)
