"""Simulates the gate's rules: how often it cries wolf, and how often it finds what is there.

    python -m tools.gate_simulation [--gates 100000] [--cells 1 10]      prints the table of docs/gate.md

The rules are those of `evabench.gate.rules`, on rows of numbers instead of single pairs (`tests/tools` compares both).
Three kinds of noise, of the logarithm of a visit's time:

    normal    independent visits; the pair sd is 5 %
    drift     a first-order autoregression over the visits, in the order ABBA, correlation 0.8, sd 10 %: pair sd 6.3 %
    bursts    as normal, and 8 % of the visits are longer by a factor with a mean of 1.3 (exponential)
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from evabench.gate.rules import CONFIRM_ALPHA, LOOKS, PASS_ALPHA, STEP, Margins
from evabench.stats.noise import NOISE_PAIRS, NORMAL_SD_OVER_MAD, TRIMMED_SD_OVER_MEAN_SD

Floats = npt.NDArray[np.float64]
MAX_PAIRS = LOOKS[-1].num_pairs
_CHUNK = 20_000
CONFIRMED, NOT_CONFIRMED, PASSED, UNDECIDED = "confirmed", "not confirmed", "passed", "undecided"


@dataclass(frozen=True, slots=True)
class Ends:
    """How gates ended: for each its answer and after how many pairs of its first series."""

    answers: npt.NDArray[np.str_]
    num_pairs: npt.NDArray[np.int64]

    def share(self, answer: str, within: int = MAX_PAIRS) -> float:
        """Return the share of gates with this answer within so many pairs."""
        return float(np.mean((self.answers == answer) & (self.num_pairs <= within)))


def trimmed(rows: Floats) -> tuple[Floats, Floats, int]:
    """Return estimate, standard error and degrees of freedom of each row, as `stats.trimmed` has them of one."""
    n = rows.shape[1]
    g = n // 5
    h = n - 2 * g
    ordered = np.sort(rows, axis=1)
    kept = ordered[:, g : n - g]
    winsorised = np.clip(ordered, kept[:, :1], kept[:, -1:])
    error = np.sqrt((n - 1) * winsorised.var(axis=1, ddof=1) / (h * (h - 1)))
    return kept.mean(axis=1), error, h - 1


def noise(rows: Floats) -> Floats:
    """Return the noise of each row, of which the odd places have one order and the even places the other."""
    rests = np.empty_like(rows)
    for start in (0, 1):
        order = rows[:, start::2]
        rests[:, start::2] = order - np.median(order, axis=1, keepdims=True)
    mad = np.median(np.abs(rests - np.median(rests, axis=1, keepdims=True)), axis=1)
    return TRIMMED_SD_OVER_MEAN_SD * NORMAL_SD_OVER_MAD * mad / np.sqrt(NOISE_PAIRS)


def gates(
    first: Floats,
    confirming: Floats,
    *,
    num_tests: int = 1,
    margins: Margins = STEP,
    stored_noise: float | None = None,
    least_rise: float = 0.0,
) -> Ends:
    """Return how gates end: rows of log ratios of the first series, and of the series that would confirm.

    `least_rise` is what the clock tells apart, as a share of the time.
    """
    answers = np.full(len(first), UNDECIDED, dtype="<U13")
    pairs = np.full(len(first), MAX_PAIRS)
    open_ = np.ones(len(first), dtype=bool)
    for look in LOOKS:
        rows = first[:, : look.num_pairs]
        estimate, error, freedom = trimmed(rows)
        sd = noise(rows) if stored_noise is None else np.full(len(rows), stored_noise)
        margin = np.log1p(np.clip(2 * sd, margins.least, margins.most))
        slower = open_ & (estimate - stdtrit(freedom, 1 - look.alpha / num_tests) * error > margin)
        slower &= np.expm1(estimate) > least_rise
        passed = open_ & ~slower & (estimate + stdtrit(freedom, 1 - PASS_ALPHA) * error < np.log1p(margins.most))
        fresh_estimate, fresh_error, _ = trimmed(confirming[:, : look.num_pairs])
        again = (fresh_estimate > margin) & (fresh_estimate > stdtrit(freedom, 1 - CONFIRM_ALPHA) * fresh_error)
        answers[slower & again], answers[slower & ~again], answers[passed] = CONFIRMED, NOT_CONFIRMED, PASSED
        pairs[slower | passed] = look.num_pairs
        open_ &= ~(slower | passed)
    return Ends(answers, pairs)


def normal(random: np.random.Generator, num_gates: int) -> Floats:
    """Return log ratios of pairs of independent visits."""
    return random.normal(0, 0.05, (num_gates, MAX_PAIRS))


def drift(random: np.random.Generator, num_gates: int) -> Floats:
    """Return log ratios of adjacent visits of a machine whose speed drifts."""
    sd, correlation = 0.10, 0.8
    visits = np.empty((num_gates, 2 * MAX_PAIRS))
    visits[:, 0] = random.normal(0, sd, num_gates)
    for place in range(1, visits.shape[1]):
        fresh = random.normal(0, sd * np.sqrt(1 - correlation**2), num_gates)
        visits[:, place] = correlation * visits[:, place - 1] + fresh
    return _of_visits(visits)


def bursts(random: np.random.Generator, num_gates: int) -> Floats:
    """Return log ratios of visits of which some were disturbed by a neighbour."""
    visits = random.normal(0, 0.05 / np.sqrt(2), (num_gates, 2 * MAX_PAIRS))
    disturbed = random.random(visits.shape) < 0.08
    return _of_visits(visits + np.where(disturbed, np.log1p(random.exponential(0.3, visits.shape)), 0))


def _of_visits(visits: Floats) -> Floats:
    first, second = visits[:, ::2], visits[:, 1::2]
    base_first = np.arange(MAX_PAIRS) % 2 == 0
    return np.where(base_first, second - first, first - second)


NOISES: dict[str, Callable[[np.random.Generator, int], Floats]] = {"normal": normal, "drift": drift, "bursts": bursts}


def simulate(
    make: Callable[[np.random.Generator, int], Floats],
    slowdown: float,
    num_gates: int,
    num_tests: int,
    layout: float = 0.0,
) -> Ends:
    """Return how so many gates of one true slow-down end.

    `layout` is the sd of what a folder makes slower or faster by itself: its sign changes with the swap.
    """
    random = np.random.default_rng(20230804)
    parts = []
    for start in range(0, num_gates, _CHUNK):
        size = min(_CHUNK, num_gates - start)
        bias = random.normal(0, layout, (size, 1))
        first, confirming = (make(random, size) + np.log1p(slowdown) for _ in range(2))
        parts.append(gates(first + bias, confirming - bias, num_tests=num_tests))
    return Ends(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("answers", "num_pairs")))


def table(num_gates: int, cells: Sequence[int]) -> str:
    """Return the operating characteristic as a table of Markdown; shares in per cent."""
    lines = [
        "| noise | tests | true | found | found at 9 | passed | inconclusive | of these not confirmed | mean pairs |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for num_tests in cells:
        for name, make in NOISES.items():
            for slowdown in (0.0, 0.05, 0.10, 0.20):
                ends = simulate(make, slowdown, num_gates, num_tests)
                shares = (
                    ends.share(CONFIRMED),
                    ends.share(CONFIRMED, within=LOOKS[0].num_pairs),
                    ends.share(PASSED),
                    ends.share(UNDECIDED) + ends.share(NOT_CONFIRMED),
                    ends.share(NOT_CONFIRMED),
                )
                words = " | ".join(f"{100 * share:.2f}" for share in shares)
                lines.append(f"| {name} | {num_tests} | {slowdown:+.0%} | {words} | {ends.num_pairs.mean():.1f} |")
    for layout in (0.02, 0.03):
        ends = simulate(normal, 0.0, num_gates, 1, layout)
        before = ends.share(CONFIRMED) + ends.share(NOT_CONFIRMED)
        lines.append(
            f"\nA folder that is faster or slower by itself (sd {layout:.0%}, normal noise): {before:.2%} false "
            f"regressions before the confirmation, {ends.share(CONFIRMED):.3%} behind it."
        )
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Simulate the rules of the gate.")
    parser.add_argument("--gates", type=int, default=100_000)
    parser.add_argument("--cells", type=int, nargs="+", default=[1, 10], help="tests of a gate: cells times layers")
    asked = parser.parse_args()
    print(table(asked.gates, asked.cells))


if __name__ == "__main__":
    main()
