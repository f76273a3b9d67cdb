"""How often each verdict falls, by the rules of `claims/judge.py`."""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from evabench.claims.judge import WorkloadBounds, judge
from evabench.claims.judgement import Verdict
from evabench.settings.claims import Claim
from evabench.stats.interval import Bounds
from tools.statistics_tables.draws import SEED, Random
from tools.statistics_tables.table import Row, share

TOLERANCE = 0.05
POWER = 1.2  # the truth is this far on the right side of the threshold
ERRORS = ("false supported", "false refuted", "power: supported at 1.2x", "power: refuted at 1.2x")

Draw = Callable[[Random, float], Bounds]  # bounds of one workload whose truth is this


def claim(relation: str, value: float, quantity: str = "time_to_target_ratio", tolerance: float = TOLERANCE) -> Claim:
    """Return a claim of which only the rule counts."""
    return Claim(
        id="T",
        text="simulated",
        quantity=quantity,
        arm="eva",
        bases=("sgd",),
        relation=relation,
        value=value,
        tolerance=tolerance,
        reason="simulated",
    )


def verdicts(random: Random, asked: Claim, draws: Sequence[Callable[[Random], Bounds]], num: int) -> Counter[Verdict]:
    """Return how often each verdict fell; one workload for each of `draws`, enough seeds and pairs in each."""
    found: Counter[Verdict] = Counter()
    for _ in range(num):
        measured = [WorkloadBounds(workload=f"w{at}", bounds=draw(random)) for at, draw in enumerate(draws)]
        found[judge(asked, measured, complete=True).verdict] += 1
    return found


def both(found: Counter[Verdict], num: int) -> Row:
    """Return the shares of the two verdicts that decide."""
    return share(found[Verdict.SUPPORTED], num), share(found[Verdict.REFUTED], num)


def errors_and_power(asked: Claim, draw: Draw, truths: tuple[float, float, float], num: int) -> Row:
    """Return both errors where the truth is the first, and both answers where it is the second and the third."""
    random = np.random.default_rng(SEED)
    at, right, wrong = (verdicts(random, asked, [lambda r, t=truth: draw(r, t)], num) for truth in truths)
    return (*both(at, num), share(right[Verdict.SUPPORTED], num), share(wrong[Verdict.REFUTED], num))


def around(threshold: float, *, up: bool) -> tuple[float, float, float]:
    """Return a threshold, and truths that lie clearly on its right and its wrong side; `up`: more is right."""
    right, wrong = threshold * POWER, threshold / POWER
    return (threshold, right, wrong) if up else (threshold, wrong, right)
