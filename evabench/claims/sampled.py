"""The quantities that are compared workload by workload: one row each, from runs of two arms to bounds."""

import math
from collections.abc import Iterator, Mapping
from functools import partial
from statistics import median

from evabench.claims.baseline import early_hit
from evabench.claims.compared import ComparedWorkload
from evabench.claims.comparisons import Comparison, Pairing, Sampling
from evabench.claims.judge import MIN_PAIRS
from evabench.findings.arm import MeasuredArm
from evabench.findings.goals import Goal
from evabench.settings.claims import Quantity
from evabench.settings.targets import TargetMetric
from evabench.stats.decomposition import decompose
from evabench.stats.interval import Exact, Unbounded
from evabench.stats.non_inferiority import LossRatio, Metric, PairedDifference, paired_difference
from evabench.stats.time_to_target import INFINITE, SpeedUp
from evabench.stats.two_noises import StepsRatio, TimeRatio, steps_ratio

# Of the median steps to the nominal target: a coarser cadence is a large part of what is to be decided (JUDGING 4).
MAX_CADENCE = 1 / 50


def _has_time(workload: ComparedWorkload, arm: MeasuredArm) -> bool:
    return _has_steps(workload, arm) and _is_timed(workload, arm)


def _has_steps(workload: ComparedWorkload, arm: MeasuredArm) -> bool:
    return workload.target is not None and bool(arm.trainings)


def _is_timed(_: ComparedWorkload, arm: MeasuredArm) -> bool:
    return bool(arm.step_seconds)


def _is_counted(_: ComparedWorkload, arm: MeasuredArm) -> bool:
    return arm.memory is not None


def _is_validated(_: ComparedWorkload, arm: MeasuredArm, metric: Metric) -> bool:
    return bool(_scores(arm, metric, None))


def _times_to_target(pair: Pairing) -> Comparison | None:
    target = pair.workload.target
    assert target is not None
    steps = steps_ratio(pair.base.paid_brackets_to(target), pair.arm.paid_brackets_to(target))
    step_times = pair.base.step_over(pair.arm)
    if steps is None:
        return None
    bounds: StepsRatio | TimeRatio = steps
    if step_times is None:  # each arm was timed, never in the same sweep: there is no bound of their ratio
        unpaired = (pair.base.amortised_seconds or 0.0) / (pair.arm.amortised_seconds or math.inf)
        bounds = TimeRatio(steps=steps, step_time=Unbounded(), step_time_estimate=unpaired)
    else:
        bounds = TimeRatio(steps=steps, step_time=step_times, step_time_estimate=step_times.estimate)
    num_pairs = step_times.num_pairs if step_times else 0
    return pair.comparison(
        pair.judged(bounds, num_pairs=num_pairs, num_seeds=steps.num_seeds),
        estimate=bounds.estimate,
        interval=bounds.interval if num_pairs >= MIN_PAIRS else None,
        notes=(*_miss_notes(pair, steps.at_hits), *_cadence_notes(pair, target)),
        warnings=_target_warnings(pair, target),
        numbers=_factors(pair, target),
    )


def _steps_to_target(pair: Pairing) -> Comparison | None:
    target = pair.workload.target
    assert target is not None
    steps = steps_ratio(pair.base.brackets_to(target), pair.arm.brackets_to(target))
    if steps is None:
        return None
    return pair.comparison(
        pair.judged(steps, num_seeds=steps.num_seeds),
        estimate=steps.estimate,
        interval=steps.interval,
        notes=(*_miss_notes(pair, steps.at_hits), *_cadence_notes(pair, target)),
        warnings=_target_warnings(pair, target),
    )


def _target_warnings(pair: Pairing, target: Goal) -> tuple[str, ...]:
    """Return that the target is an easy one for the base, as a sentence."""
    early = early_hit(pair.base, target)
    return (early,) if early else ()


def _cadence_notes(pair: Pairing, target: Goal) -> Iterator[str]:
    """Yield that evaluations are coarse: the bounds allow for it and decide less."""
    steps = median(INFINITE if count is None else count for count in pair.base.steps_to(target).values())
    every = pair.base.budget.evaluate_every if pair.base.budget else 0
    if every > steps * MAX_CADENCE:
        yield (
            f"{pair.base.name} takes {steps:g} steps and is evaluated every {every}: the bounds allow for that, and "
            f"decide more where evaluate_every is at most {max(1, math.floor(steps * MAX_CADENCE))}."
        )


def _step_times(pair: Pairing) -> Comparison | None:
    ratio = pair.arm.step_over(pair.base)
    if ratio is None:
        return None
    bounds = pair.judged(ratio, num_pairs=ratio.num_pairs)
    described = ratio.descriptive_interval()
    numbers = {"bca_low": described.low, "bca_high": described.high} if described else {}
    interval = ratio.interval if ratio.num_pairs >= MIN_PAIRS else None
    return pair.comparison(bounds, estimate=ratio.estimate, interval=interval, numbers=numbers)


def _tensor_peaks(pair: Pairing) -> Comparison | None:
    if pair.arm.memory is None or pair.base.memory is None:
        return None
    peak, base_peak = float(pair.arm.memory.peak.total), float(pair.base.memory.peak.total)
    bounds = pair.judged(Exact(peak / base_peak))
    numbers = {"arm_peak_bytes": peak, "base_peak_bytes": base_peak}
    return pair.comparison(bounds, estimate=peak / base_peak, interval=None, numbers=numbers)


def _validations(pair: Pairing, metric: Metric) -> Comparison | None:
    step = pair.claim.step
    arm, base = (_scores(one, metric, step) for one in (pair.arm, pair.base))
    if metric == "loss" and any(value is not None and value <= 0 for value in (*arm.values(), *base.values())):
        why = "has losses of 0 or below, which have no ratio: validation_loss_difference compares them"
        return pair.comparison(pair.judged(Unbounded(), doubt=why), estimate=None, interval=None)
    found = paired_difference(arm, base, metric)
    if found is None:
        return None
    shown = LossRatio(found) if metric == "loss" else found
    judged = found if pair.claim.relation == "not_worse_by" else shown
    bounds = pair.judged(judged, num_seeds=found.num_seeds)
    return pair.comparison(
        bounds, estimate=shown.estimate, interval=shown.interval, notes=tuple(_failure_notes(pair, found))
    )


def _scores(arm: MeasuredArm, metric: Metric, step: int | None) -> dict[int, float | None]:
    """Return the validation of each seed, None where it did not get there; not of a run that has no such figure."""
    kind: TargetMetric = "accuracy" if metric == "accuracy" else "loss"
    scores = {seed: arm.validation(seed, kind, step) for seed in arm.trainings}
    return {
        seed: score for seed, score in scores.items() if score is not None or not arm.trainings[seed].outcome.completed
    }


def _failure_notes(pair: Pairing, found: PairedDifference) -> Iterator[str]:
    counts = (
        (found.differences.count(math.inf), f"only {pair.base.name} failed"),
        (found.differences.count(-math.inf), f"only {pair.arm.name} failed"),
        (found.num_both_failed, "both arms failed"),
    )
    yield from (f"In {count} of {found.num_seeds} seeds {what}." for count, what in counts if count)


def _miss_notes(pair: Pairing, ratio: SpeedUp) -> tuple[str, ...]:
    counts = (
        (ratio.num_base_missed, f"only {pair.base.name} missed the target"),
        (ratio.num_arm_missed, f"only {pair.arm.name} missed the target"),
        (ratio.num_both_missed, "both arms missed the target"),
    )
    return tuple(f"In {count} of {ratio.num_seeds} seeds {what}." for count, what in counts if count)


def _factors(pair: Pairing, target: Goal) -> dict[str, float]:
    """Return base over arm, as factors: above 1 the arm is better."""
    numbers: dict[str, float] = {}
    step_times = pair.base.step_over(pair.arm)
    if step_times is not None and step_times.num_pairs > 1:
        numbers |= {"step_time_factor_low": step_times.low, "step_time_factor_high": step_times.high}
    base, arm = pair.base.reached(target), pair.arm.reached(target)
    # Each arm's clocks and timed steps share their limits; without a pair of visits the two arms' may not.
    factors = decompose(base, arm) if base and arm and step_times else None
    if factors is None:
        return numbers
    if factors.rest_factor is not None:
        numbers["rest_factor"] = factors.rest_factor
    return {
        **numbers,
        "steps_factor": factors.steps_factor,
        "step_time_factor": factors.step_time_factor,
        "num_seeds_of_factors": factors.num_seeds,
    }


def _validated(metric: Metric) -> Sampling:
    return Sampling(
        to_target=False,
        compared=partial(_is_validated, metric=metric),
        compare=partial(_validations, metric=metric),
        needed="trained",
        more_is_better=metric != "loss",
    )


SAMPLINGS: Mapping[Quantity, Sampling] = {
    "time_to_target_ratio": Sampling(
        to_target=True,
        compared=_has_time,
        compare=_times_to_target,
        needed="both timed and trained",
        more_is_better=True,
    ),
    "steps_to_target_ratio": Sampling(
        to_target=True, compared=_has_steps, compare=_steps_to_target, needed="trained", more_is_better=True
    ),
    "step_time_ratio": Sampling(
        to_target=False, compared=_is_timed, compare=_step_times, needed="timed", more_is_better=False
    ),
    "tensor_peak_ratio": Sampling(
        to_target=False, compared=_is_counted, compare=_tensor_peaks, needed="counted", more_is_better=False
    ),
    "validation_loss_ratio": _validated("loss"),
    "validation_loss_difference": _validated("signed_loss"),
    "validation_accuracy_difference": _validated("accuracy"),
}
