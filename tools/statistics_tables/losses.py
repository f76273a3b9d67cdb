"""Final metrics: losses and accuracies, "its curvature helps", and the sentence about an ablation."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from evabench.claims.judgement import Verdict
from evabench.claims.validity import LOSS_MARGIN
from evabench.settings.claims import Claim
from evabench.stats.non_inferiority import LossRatio, PairedDifference, relative_margin
from evabench.stats.trimmed import TrimmedMean, trimmed_mean
from tools.statistics_tables.draws import SEED, Losses, Random, differences
from tools.statistics_tables.table import Row, Table, share
from tools.statistics_tables.verdicts import claim, errors_and_power, verdicts

MARGIN = 0.02
LOSSES = (
    Losses(sd=0.01),
    Losses(),
    Losses(skewed=True),
    Losses(seeds=9),
    Losses(seeds=16),
    Losses(seeds=16, skewed=True),
)


@dataclass(frozen=True, slots=True)
class TrimmedT:
    """The rule from before: a t interval around the trimmed mean of the differences."""

    found: PairedDifference

    @property
    def _trimmed(self) -> TrimmedMean:
        return trimmed_mean(self.found.differences)

    def lower_bound(self, alpha: float) -> float:
        """Return the bound of the t."""
        return self._trimmed.lower_bound(alpha)

    def upper_bound(self, alpha: float) -> float:
        """Return the bound of the t."""
        return self._trimmed.upper_bound(alpha)


def loss_table(num: int) -> Table:
    """Return the errors of non-inferiority, and its power, beside those of the rule from before at its own truth."""
    asked, rows = claim("not_worse_by", MARGIN, "validation_loss_ratio"), []
    at = -relative_margin(MARGIN)
    for one in LOSSES:
        now = errors_and_power(asked, lambda r, truth, d=one: differences(r, truth, d), (at, 0.0, 3 * at), num)
        before = errors_and_power(
            asked, lambda r, truth, d=one: TrimmedT(differences(r, truth, d, _centre(d))), (at, 0.0, 3 * at), num
        )
        rows.append((one.words, *now, *before))
    headings = (
        "loss, not worse by 2 %",
        "false supported",
        "false refuted",
        "power: supported if equal",
        "refuted if 6 % worse",
        "before: false supported",
        "before: false refuted",
        "before: supported if equal",
        "before: refuted if 6 % worse",
    )
    return Table(title="Validation loss, not worse by a margin", headings=headings, rows=tuple(rows))


@cache
def _centre(losses: Losses) -> float:
    """Return what the trimmed mean of an exponential is on average."""
    draws = np.random.default_rng(SEED).exponential(1.0, (20_000, losses.seeds))
    return float(np.mean([trimmed_mean(row).estimate for row in draws]))


def metrics_table(num: int) -> Table:
    """Return the errors of the other claims about a final metric."""
    helps = claim("at_most", 0.98, "validation_loss_ratio", tolerance=0.0)
    accuracy = claim("not_worse_by", 0.005, "validation_accuracy_difference")
    signed = claim("not_worse_by", 0.02, "validation_loss_difference")
    same = claim("equal_within", 0.05, "validation_loss_ratio")
    rows = [
        _row(helps, "its curvature helps: a loss at least 2 % lower", Losses(), (0.98, 0.94, 1.02), num),
        _row(helps, "the same", Losses(skewed=True), (0.98, 0.94, 1.02), num),
        _row(helps, "the same", Losses(sd=0.01), (0.98, 0.96, 1.0), num),
        _difference(accuracy, "accuracy, not worse by 0.5 points", Losses(sd=0.005, metric="accuracy"), 0.005, num),
        _difference(signed, "signed loss, not worse by 0.02", Losses(sd=0.02, metric="signed_loss"), 0.02, num),
        _row(same, "loss, equal within 5 %", Losses(sd=0.01), (1.05, 1.0, 1.1), num),
    ]
    headings = ("final metric", "seeds", "false supported", "false refuted", "power: supported", "power: refuted", "at")
    return Table(title="Other final metrics", headings=headings, rows=tuple(rows))


def _row(asked: Claim, name: str, losses: Losses, truths: tuple[float, float, float], num: int) -> Row:
    found = errors_and_power(asked, lambda r, truth: LossRatio(differences(r, -math.log(truth), losses)), truths, num)
    return name, losses.words, *found, f"{truths[1]:g} and {truths[2]:g}"


def _difference(asked: Claim, name: str, losses: Losses, margin: float, num: int) -> Row:
    truths = (-margin, 0.0, -3 * margin)
    found = errors_and_power(asked, lambda r, truth: differences(r, truth, losses), truths, num)
    return name, losses.words, *found, f"0 and {-3 * margin:g}"


def ablation_table(num: int) -> Table:
    """Return how often a verdict says first that an arm's ablation does as well."""
    rows = []
    for losses in (Losses(sd=0.01), Losses()):
        for worse in (0.06, LOSS_MARGIN, 0.01, 0.0):
            said = _said(np.random.default_rng(SEED), -relative_margin(worse) if worse else 0.0, losses, num)
            rows.append((f"{100 * worse:g} % higher ({losses.words})", share(said, num)))
    headings = ("an ablation that ends at a loss", "said first")
    return Table(title="An ablation that does as well", headings=headings, rows=tuple(rows))


def _said(random: Random, truth: float, losses: Losses, num: int) -> int:
    margin = relative_margin(LOSS_MARGIN)
    return sum(differences(random, truth, losses).is_not_worse_by(margin) for _ in range(num))


def skewed_errors(num: int) -> tuple[float, float]:
    """Return both errors at the boundary with skewed losses, as shares."""
    asked = claim("not_worse_by", MARGIN, "validation_loss_ratio")
    at, random = -relative_margin(MARGIN), np.random.default_rng(SEED)
    found = verdicts(random, asked, [lambda r: differences(r, at, Losses(skewed=True))], num)
    return found[Verdict.SUPPORTED] / num, found[Verdict.REFUTED] / num
