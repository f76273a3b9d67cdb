"""What is counted has no noise: which answers fall where the truth lies at a threshold, below it and above it."""

import numpy as np

from evabench.claims.judge import judge_exact
from evabench.claims.judgement import Verdict
from evabench.stats.interval import Exact
from evabench.stats.widths import exact_degree, width_polynomial
from tools.statistics_tables.draws import SEED, Random
from tools.statistics_tables.table import Row, Table, share
from tools.statistics_tables.verdicts import claim, errors_and_power

WIDTHS = tuple(range(272, 497, 32))


def counted_table(num: int) -> Table:
    """Return the answers to claims about what is counted, of quantities drawn on the right and on the wrong side."""
    peak = claim("at_most", 1.0, "tensor_peak_ratio")
    limit = 1.0 + 0.05
    at, _, right, wrong = errors_and_power(peak, lambda _, truth: Exact(truth), (limit, limit - 0.01, limit + 0.01), 1)
    rows = [
        ("peak of live tensors, at most 1x (5 %)", "1 % below and above 1.05", right, wrong),
        ("curvature state, at most a tenth", "0.099 and 0.101", *_share_answers()),
        ("curvature state, no d^2 term", "degree 1 and 2, random coefficients", *_growth(num)),
        ("work (C4), degree 2 at most", "degree 2 and 3, random coefficients", *_degrees(num)),
    ]
    assert at == "100.0 %"  # at the threshold itself it holds
    headings = ("counted", "truth", "supported where it holds", "refuted where it fails")
    return Table(title="What is counted", headings=headings, rows=tuple(rows))


def _share_answers() -> Row:
    holds, fails = (judge_exact([("", share_of <= 0.1)], 4, complete=True).verdict for share_of in (0.099, 0.101))
    return share(holds is Verdict.SUPPORTED, 1), share(fails is Verdict.REFUTED, 1)


def _polynomial(random: Random, degree: int) -> dict[int, int]:
    coefficients = [int(one) for one in random.integers(1, 50, degree + 1)]
    return {width: sum(one * width**power for power, one in enumerate(coefficients)) for width in WIDTHS}


def _growth(num: int) -> Row:
    random, right, wrong = np.random.default_rng(SEED), 0, 0
    for _ in range(num):
        flat, square = (width_polynomial(_polynomial(random, degree)) for degree in (1, 2))
        right += flat is not None and flat.has_quadratic_term is False
        wrong += square is not None and square.has_quadratic_term is True
    return share(right, num), share(wrong, num)


def _degrees(num: int) -> Row:
    random, found = np.random.default_rng(SEED), {2: 0, 3: 0}
    for _ in range(num):
        for degree in found:
            read = exact_degree(_polynomial(random, degree))
            found[degree] += read is not None and read.degree == degree
    return share(found[2], num), share(found[3], num)
