"""The errors of every verdict at its boundary, simulated with the rules as they ship: docs/statistics.md has them.

    python tools/statistics_tables.py --draws 10000            print the tables (some minutes on one core)
    python tools/statistics_tables.py --draws 10000 --write    and put them into docs/statistics.md

A truth that lies exactly at the threshold makes "supported" and "refuted" errors both: each may happen in alpha of the
experiments. Steps, step times and losses are drawn; evaluations, bounds and rules are those of the package.
"""

import argparse
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from evabench.claims.judge import WorkloadBounds, judge
from evabench.claims.judgement import Verdict
from evabench.settings.claims import Claim
from evabench.stats.interval import Bounds
from evabench.stats.non_inferiority import PairedDifference, paired_difference, relative_margin
from evabench.stats.paired import PairedRatio, paired_ratio
from evabench.stats.strongest import Greatest
from evabench.stats.trimmed import trimmed_mean
from evabench.stats.two_noises import StepsRatio, TimeRatio, steps_ratio

DOCS = Path(__file__).resolve().parents[1] / "docs" / "statistics.md"
BEGIN, END = "<!-- simulated: begin -->", "<!-- simulated: end -->"
SEED = 20230804
BASE_STEPS = 200.0  # median of the base, to the target
PAIR_SD = 0.047  # of d over adjacent pairs, on the shared machine of JUDGING
RUN_SD, LAG = 0.075, 0.80  # of log step times from visit to visit there
BURST, BURST_SHARE = math.log(1.3), 0.08
TOLERANCE = 0.05
POWER = 1.2  # the truth is this far on the right side of the threshold

Random = np.random.Generator
Draw = Callable[[Random, float], Bounds]  # bounds of one workload whose truth is this


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of numbers with what they are of."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def markdown(self) -> str:
        """Return the table as it stands in the docs."""
        ruler = ["---"] + ["---:"] * (len(self.headings) - 1)
        lines = [self.headings, tuple(ruler), *self.rows]
        return f"**{self.title}**\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def visits(random: Random, num_arms: int, sweeps: int, noise: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the log slow-downs of the first and the last of several arms, by sweep, in alternating direction."""
    if noise == "normal":
        first, last = random.normal(0, PAIR_SD / math.sqrt(2), (2, sweeps))
        return first, last
    if noise == "bursts":
        base = random.normal(0, PAIR_SD / math.sqrt(2), (2, sweeps))
        first, last = base + BURST * (random.random((2, sweeps)) < BURST_SHARE)
        return first, last
    drift = np.empty(num_arms * sweeps)
    drift[0] = random.normal(0, RUN_SD)
    for at in range(1, len(drift)):
        drift[at] = LAG * drift[at - 1] + random.normal(0, RUN_SD * math.sqrt(1 - LAG**2))
    by_sweep = drift.reshape(sweeps, num_arms)
    by_sweep[1::2] = by_sweep[1::2, ::-1]
    return by_sweep[:, 0], by_sweep[:, -1]


def step_times(random: Random, ratio: float, sweeps: int, noise: str, num_arms: int = 2) -> PairedRatio:
    """Return the ratio of two arms' step times, the first over the last, whose truth is `ratio`."""
    first, last = visits(random, num_arms, sweeps, noise)
    found = paired_ratio(dict(enumerate(ratio * np.exp(first))), dict(enumerate(np.exp(last))))
    assert found is not None
    return found


def steps(random: Random, ratio: float, seeds: int, sd: float, cadence: float) -> StepsRatio:
    """Return base over arm in steps, evaluated every `cadence` of the base's median; the true median is `ratio`."""
    every = max(1, round(cadence * BASE_STEPS))
    taken = BASE_STEPS * np.exp(random.normal(0, 0.1, seeds))
    arms = taken / (ratio * np.exp(random.normal(0, sd, seeds)))
    found = steps_ratio(*({seed: _bracket(at, every) for seed, at in enumerate(each)} for each in (taken, arms)))
    assert found is not None
    return found


def _bracket(hit: float, every: int) -> tuple[int, int]:
    evaluation = max(1, math.ceil(hit / every))
    return (evaluation - 1) * every, evaluation * every


def times(random: Random, truth: float, case: "Case") -> TimeRatio:
    """Return the time ratio of two arms of which a step of the second costs 1.2 of the first's."""
    step_time = step_times(random, 1 / 1.2, case.sweeps, case.noise, case.arms)
    taken = steps(random, 1.2 * truth, case.seeds, case.sd, case.cadence)
    return TimeRatio(steps=taken, step_time=step_time, step_time_estimate=step_time.estimate)


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


def share(count: int, num: int) -> str:
    """Return "4.8 %"."""
    return f"{100 * count / num:.1f} %"


def both(found: Counter[Verdict], num: int) -> tuple[str, str]:
    """Return the shares of the two verdicts that decide."""
    return share(found[Verdict.SUPPORTED], num), share(found[Verdict.REFUTED], num)


def four(random: Random, asked: Claim, draw: Draw, threshold: float, num: int, *, up: bool) -> tuple[str, ...]:
    """Return both errors at the threshold, and both answers where the truth is clearly on one side."""
    right, wrong = (threshold * POWER, threshold / POWER) if up else (threshold / POWER, threshold * POWER)
    at = verdicts(random, asked, [lambda r: draw(r, threshold)], num)
    good = verdicts(random, asked, [lambda r: draw(r, right)], num)
    bad = verdicts(random, asked, [lambda r: draw(r, wrong)], num)
    return (
        share(at[Verdict.SUPPORTED], num),
        share(at[Verdict.REFUTED], num),
        share(good[Verdict.SUPPORTED], num),
        share(bad[Verdict.REFUTED], num),
    )


ERRORS = ("false supported", "false refuted", "power: supported at 1.2x", "power: refuted at 1.2x")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """How much is measured of two arms, and with how much noise."""

    seeds: int = 8
    sd: float  # of the log of the ratio of steps, over seeds
    sweeps: int = 6
    noise: str
    arms: int = 2
    cadence: float = 1 / 50  # of the base's median steps

    @property
    def words(self) -> str:
        """Return "8 seeds (sd 3 %), 6 sweeps of 2 arms (drift), cadence 1/50"."""
        seeds, sweeps = f"{self.seeds} seeds (sd {100 * self.sd:g} %)", f"{self.sweeps} sweeps of {self.arms} arms"
        return f"{seeds}, {sweeps} ({self.noise}), cadence 1/{1 / self.cadence:g}"


CASES = (
    Case(sd=0.03, noise="normal"),
    Case(sd=0.03, noise="drift"),
    Case(sd=0.03, noise="drift", arms=5),
    Case(sd=0.03, noise="drift", cadence=1 / 5),
    Case(sd=0.15, noise="drift"),
    Case(sd=0.15, noise="bursts"),
    Case(sd=0.15, noise="drift", seeds=16, sweeps=12),
)
DRIFT = CASES[4]


def times_table(num: int) -> Table:
    """Return the errors of a time to target, beside those of the rule from before."""
    asked, rows = claim("at_least", 1.0), []
    threshold = 1 - TOLERANCE
    for case in CASES:
        random = np.random.default_rng(SEED)
        before = verdicts(random, asked, [lambda r, c=case: OneNoise(times(r, threshold, c))], num)
        random = np.random.default_rng(SEED)
        now = four(random, asked, lambda r, truth, c=case: times(r, truth, c), threshold, num, up=True)
        rows.append((case.words, *now, share(before[Verdict.SUPPORTED], num), share(before[Verdict.REFUTED], num)))
    headings = ("time to target, at least 1x", *ERRORS, "before: false supported", "before: false refuted")
    return Table(title="Time to target, both noises", headings=headings, rows=tuple(rows))


def coverage_table(num: int) -> Table:
    """Return how often the shown 95 % interval of a time ratio holds the truth."""
    rows = []
    for case in CASES:
        random, inside = np.random.default_rng(SEED), 0
        for _ in range(num):
            shown = times(random, 1.3, case).interval
            inside += shown is not None and shown.low <= 1.3 <= shown.high
        rows.append((case.words, share(inside, num)))
    return Table(
        title="Coverage of the interval that is shown", headings=("95 % interval", "holds the truth"), rows=tuple(rows)
    )


def step_time_table(num: int) -> Table:
    """Return the errors of a ratio of step times."""
    asked, rows = claim("at_most", 1.2, "step_time_ratio"), []
    threshold = 1.2 * (1 + TOLERANCE)
    for noise, sweeps, arms in (("normal", 6, 2), ("drift", 6, 2), ("drift", 6, 5), ("bursts", 6, 2), ("drift", 12, 2)):
        random = np.random.default_rng(SEED)

        def draw(r: Random, truth: float, noise: str = noise, sweeps: int = sweeps, arms: int = arms) -> Bounds:
            return step_times(r, truth, sweeps, noise, arms)

        rows.append((f"{sweeps} sweeps, {noise}, {arms} arms", *four(random, asked, draw, threshold, num, up=False)))
    return Table(title="Step time", headings=("step time, at most 1.2x", *ERRORS), rows=tuple(rows))


def losses(random: Random, truth: float, sd: float, seeds: int, skewed: bool) -> PairedDifference:
    """Return the difference of log losses of which the truth is `truth`.

    The truth is that of the trimmed mean. Skewed: an exponential, less what its trimmed mean is on average.
    """
    noise = random.exponential(1.0, seeds) - _trimmed_exponential(seeds) if skewed else random.normal(0, 1, seeds)
    arm = {seed: math.exp(-(truth + sd * each)) for seed, each in enumerate(noise)}
    found = paired_difference(arm, dict.fromkeys(arm, 1.0))
    assert found is not None
    return found


@cache
def _trimmed_exponential(seeds: int) -> float:
    draws = np.random.default_rng(SEED).exponential(1.0, (20_000, seeds))
    return float(np.mean([trimmed_mean(row).estimate for row in draws]))


def loss_table(num: int) -> Table:
    """Return the errors of non-inferiority, and its power where the arms are equal."""
    margin, rows = 0.02, []
    asked = claim("not_worse_by", margin, "validation_loss_ratio")
    at = -relative_margin(margin)
    for sd, seeds, skewed in ((0.01, 8, False), (0.03, 8, False), (0.03, 8, True), (0.03, 16, False)):
        random = np.random.default_rng(SEED)
        bound = verdicts(random, asked, [lambda r, a=(sd, seeds, skewed): losses(r, at, *a)], num)
        equal = verdicts(random, asked, [lambda r, a=(sd, seeds, skewed): losses(r, 0.0, *a)], num)
        worse = verdicts(random, asked, [lambda r, a=(sd, seeds, skewed): losses(r, 3 * at, *a)], num)
        name = f"{seeds} seeds, sd {100 * sd:g} % of the loss{', skewed' if skewed else ''}"
        counts = (bound[Verdict.SUPPORTED], bound[Verdict.REFUTED], equal[Verdict.SUPPORTED], worse[Verdict.REFUTED])
        rows.append((name, *(share(count, num) for count in counts)))
    headings = (
        "loss, not worse by 2 %",
        "false supported",
        "false refuted",
        "power: supported if equal",
        "refuted if 6 % worse",
    )
    return Table(title="Validation loss, not worse by a margin", headings=headings, rows=tuple(rows))


def workloads_table(num: int) -> Table:
    """Return the errors over four workloads, each at its boundary; and of one of them far below."""
    threshold, rows = 1 - TOLERANCE, []
    for relation in ("at_least", "up_to"):
        asked = claim(relation, 1.0)
        random = np.random.default_rng(SEED)
        draws = [lambda r: times(r, threshold, DRIFT)] * 4
        found = verdicts(random, asked, draws, num)
        rows.append(
            (
                f"{relation}, four at the boundary",
                share(found[Verdict.SUPPORTED], num),
                share(found[Verdict.REFUTED], num),
            )
        )
    random = np.random.default_rng(SEED)
    within = claim("equal_within", 0.1, "step_time_ratio")
    found = verdicts(random, within, [lambda r: step_times(r, 1.1, 12, "drift")], num)
    rows.append(
        ("equal_within 10 %, truth 1.1", share(found[Verdict.SUPPORTED], num), share(found[Verdict.REFUTED], num))
    )
    return Table(
        title="Several workloads, and equality",
        headings=("relation", "false supported", "false refuted"),
        rows=tuple(rows),
    )


def bases_table(num: int) -> Table:
    """Return the errors against the stronger of two equal baselines: all of them counted, or the best one chosen."""
    asked = claim("at_most", 1.2, "step_time_ratio")
    threshold = 1.2 * (1 + TOLERANCE)

    def several(r: Random) -> list[PairedRatio]:
        return [step_times(r, threshold, 6, "drift") for _ in range(2)]

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


TABLES = (times_table, coverage_table, step_time_table, loss_table, workloads_table, bases_table, rates_table)


def written(text: str, tables: Iterator[Table], num: int) -> str:
    """Return the page with the tables in their place."""
    shown = "\n".join(table.markdown for table in tables)
    block = f"{BEGIN}\n`python tools/statistics_tables.py --draws {num}`\n\n{shown}{END}"
    return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: block, text, flags=re.S)


def main() -> None:
    """Print the tables, or put them into the docs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--draws", type=int, default=10_000, help="experiments of each number")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/statistics.md")
    asked = parser.parse_args()
    tables = []
    for make in TABLES:
        tables.append(make(asked.draws))
        print(tables[-1].markdown, flush=True)
    if asked.write:
        DOCS.write_text(written(DOCS.read_text(encoding="utf-8"), iter(tables), asked.draws), encoding="utf-8")


if __name__ == "__main__":
    main()
