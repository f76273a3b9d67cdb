"""The quantities that are compared workload by workload: one row each, from runs of two arms to bounds."""

import math
from collections.abc import Iterator, Mapping
from functools import partial
from statistics import median

from evabench.claims.compared import ComparedWorkload
from evabench.claims.comparisons import Comparison, Pairing, Sampling
from evabench.claims.judge import WorkloadBounds
from evabench.findings.arm import MeasuredArm
from evabench.findings.goals import Goal
from evabench.settings.claims import Quantity
from evabench.settings.targets import TargetMetric
from evabench.stats.decomposition import decompose
from evabench.stats.interval import Exact, Unbounded
from evabench.stats.non_inferiority import LossRatio, Metric, PairedDifference, paired_difference
from evabench.stats.paired import paired_ratio
from evabench.stats.time_to_target import INFINITE, SpeedUp, median_seconds, speed_up


def _median_time(workload: ComparedWorkload, arm: MeasuredArm) -> float | None:
    seconds = arm.seconds_to(workload.target) if workload.target is not None else None
    return median_seconds(seconds) if seconds else None


def _median_steps(workload: ComparedWorkload, arm: MeasuredArm) -> float | None:
    if workload.target is None or not arm.trainings:
        return None
    return median(INFINITE if count is None else count for count in arm.steps_to(workload.target).values())


def _step_time(_: ComparedWorkload, arm: MeasuredArm) -> float | None:
    return arm.amortised_seconds


def _tensor_peak(_: ComparedWorkload, arm: MeasuredArm) -> float | None:
    return float(arm.memory.peak.total) if arm.memory else None


def _median_validation(_: ComparedWorkload, arm: MeasuredArm, metric: Metric) -> float | None:
    scores = _scores(arm, metric, None).values()
    if not scores:
        return None
    if metric == "accuracy":
        return median(1.0 - (score or 0.0) for score in scores)
    return median(INFINITE if score is None else score for score in scores)


def _times_to_target(pair: Pairing) -> Comparison | None:
    target = pair.workload.target
    assert target is not None
    ratio = speed_up(pair.base.seconds_to(target) or {}, pair.arm.seconds_to(target) or {})
    if ratio is None:
        return None
    step_times = paired_ratio(pair.base.step_seconds, pair.arm.step_seconds)
    bounds = WorkloadBounds(
        workload=pair.label,
        bounds=ratio,
        num_pairs=step_times.num_pairs if step_times else 0,
        num_seeds=ratio.num_seeds,
        doubt=pair.workload.doubt(),
    )
    return pair.comparison(
        bounds,
        estimate=ratio.estimate,
        interval=ratio.interval,
        notes=_miss_notes(pair, ratio),
        numbers=_factors(pair, target),
    )


def _steps_to_target(pair: Pairing) -> Comparison | None:
    target = pair.workload.target
    assert target is not None
    ratio = speed_up(pair.base.steps_to(target), pair.arm.steps_to(target))
    if ratio is None:
        return None
    bounds = WorkloadBounds(workload=pair.label, bounds=ratio, num_seeds=ratio.num_seeds, doubt=pair.workload.doubt())
    return pair.comparison(bounds, estimate=ratio.estimate, interval=ratio.interval, notes=_miss_notes(pair, ratio))


def _step_times(pair: Pairing) -> Comparison | None:
    ratio = paired_ratio(pair.arm.step_seconds, pair.base.step_seconds)
    if ratio is None:
        return None
    bounds = WorkloadBounds(workload=pair.label, bounds=ratio, num_pairs=ratio.num_pairs)
    return pair.comparison(bounds, estimate=ratio.estimate, interval=ratio.interval)


def _tensor_peaks(pair: Pairing) -> Comparison | None:
    peak, base_peak = _tensor_peak(pair.workload, pair.arm), _tensor_peak(pair.workload, pair.base)
    if peak is None or base_peak is None:
        return None
    bounds = WorkloadBounds(workload=pair.label, bounds=Exact(peak / base_peak))
    numbers = {"arm_peak_bytes": peak, "base_peak_bytes": base_peak}
    return pair.comparison(bounds, estimate=peak / base_peak, interval=None, numbers=numbers)


def _validations(pair: Pairing, metric: Metric) -> Comparison | None:
    step = pair.claim.step
    arm, base = (_scores(one, metric, step) for one in (pair.arm, pair.base))
    if metric == "loss" and any(value is not None and value <= 0 for value in (*arm.values(), *base.values())):
        doubt = "has losses of 0 or below, which have no ratio: validation_loss_difference compares them"
        nothing = WorkloadBounds(workload=pair.label, bounds=Unbounded(), doubt=doubt)
        return pair.comparison(nothing, estimate=None, interval=None)
    found = paired_difference(arm, base, metric)
    if found is None:
        return None
    shown = LossRatio(found) if metric == "loss" else found
    judged = found if pair.claim.relation == "not_worse_by" else shown
    bounds = WorkloadBounds(workload=pair.label, bounds=judged, num_seeds=found.num_seeds)
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
    step_times = paired_ratio(pair.base.step_seconds, pair.arm.step_seconds)
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
        strength=partial(_median_validation, metric=metric),
        compare=partial(_validations, metric=metric),
        strongest=f"has the best median validation {'accuracy' if metric == 'accuracy' else 'loss'}",
        needed="trained",
    )


SAMPLINGS: Mapping[Quantity, Sampling] = {
    "time_to_target_ratio": Sampling(
        to_target=True,
        strength=_median_time,
        compare=_times_to_target,
        strongest="has the smallest median time to the target",
        needed="both timed and trained",
    ),
    "steps_to_target_ratio": Sampling(
        to_target=True,
        strength=_median_steps,
        compare=_steps_to_target,
        strongest="has the smallest median number of steps to the target",
        needed="trained",
    ),
    "step_time_ratio": Sampling(
        to_target=False,
        strength=_step_time,
        compare=_step_times,
        strongest="has the cheapest step",
        needed="timed",
    ),
    "tensor_peak_ratio": Sampling(
        to_target=False,
        strength=_tensor_peak,
        compare=_tensor_peaks,
        strongest="has the smallest peak",
        needed="counted",
    ),
    "validation_loss_ratio": _validated("loss"),
    "validation_loss_difference": _validated("signed_loss"),
    "validation_accuracy_difference": _validated("accuracy"),
}
