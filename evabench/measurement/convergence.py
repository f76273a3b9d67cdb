"""A training run to its budget, the clock paused in every evaluation."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from torch import Tensor

from evabench.errors import EvabenchError, WorkloadError
from evabench.measurement.bench import Bench
from evabench.measurement.collector import collecting_new_objects
from evabench.measurement.watch.pausable_clock import PausableClock
from evabench.measurement.watch.training_watch import TrainingWatch
from evabench.records.convergence import Convergence, Evaluation, Scores
from evabench.records.measurement import ConvergenceSettings
from evabench.workloads.schedule import ScheduledRate


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What a training run is made of."""

    next_batch: Callable[[], Any]
    step: Callable[[int, Any], Tensor]  # index and batch -> the loss of the batch, a 0-d tensor
    before_training: Callable[[], Scores]  # on the validation split
    validation: Callable[[], Scores]
    test: Callable[[], Scores]


def measure_convergence(bench: Bench, settings: ConvergenceSettings) -> Convergence:
    """Train the cell's optimizer on its workload, at the rates of the schedule, and judge where it says to."""
    workload, clock = bench.workload, PausableClock()
    rate = ScheduledRate(bench.optimizer, settings)
    watch = TrainingWatch(bench, settings, clock)
    batches = watch.batches()

    def step(index: int, batch: Any) -> Tensor:
        rate.set_for(index)
        return watch.train(batch)

    def before_training() -> Scores:
        try:
            scores = workload.validation()
        except EvabenchError:
            raise
        except Exception as error:
            raise WorkloadError("its model cannot be evaluated before training") from error
        if not math.isfinite(scores.loss):
            raise WorkloadError("its validation loss is not finite before training")
        return scores

    training = Training(
        next_batch=lambda: next(batches),
        step=step,
        before_training=lambda: watch.evaluate(before_training),
        validation=lambda: watch.evaluate(workload.validation),
        test=lambda: watch.evaluate(workload.test),
    )
    began = perf_counter()
    levels = workload.trivial_levels()
    with collecting_new_objects():
        beside = perf_counter() - began
        measured = train_to_budget(training, settings, clock)
    return replace(
        measured,
        rate_contested_at=rate.contested_at,
        trivial_levels=levels,
        checks=watch.found(),
        watch_seconds=watch.seconds + beside,
    )


def train_to_budget(training: Training, settings: ConvergenceSettings, clock: PausableClock) -> Convergence:
    """Train for the budget, or until a loss is no longer finite.

    The losses of the batches are read only at evaluations, so that reading never waits for a device inside the timed
    part. Evaluations come at step 0, every `evaluate_every` steps and at the end of the budget. The clock includes
    the wait for batches and the first step, in which code is compiled; both are told apart too.
    """
    losses: list[float | None] = []
    unread: list[Tensor] = []
    judging = PausableClock(clock.now)

    def scored(scores: Callable[[], Scores]) -> Scores:
        judging.resume()
        found = scores()
        judging.pause()
        return found

    evaluations = [_evaluation(0, clock, scored(training.before_training))]
    waited = 0.0
    first_step = None
    clock.resume()
    for index in range(settings.steps):
        asked = clock.now()
        batch = training.next_batch()
        came = clock.now()
        waited += came - asked
        unread.append(training.step(index, batch))
        if first_step is None:
            first_step = clock.read() - waited
        done = index + 1
        if done % settings.evaluate_every and done != settings.steps:
            continue
        clock.pause()
        losses += [finite(float(loss)) for loss in unread]
        unread.clear()
        evaluations.append(_evaluation(done, clock, scored(training.validation)))
        if None in losses or evaluations[-1].validation_loss is None:
            break
        clock.resume()
    reached = evaluations[-1].step == settings.steps and evaluations[-1].validation_loss is not None
    test = scored(training.test) if reached else None
    return Convergence(
        evaluations=tuple(evaluations),
        training_losses=tuple(losses),
        test_loss=finite(test.loss) if test else None,
        test_accuracy=test.accuracy if test else None,
        test_bits_per_byte=finite(test.bits_per_byte) if test else None,
        budget_steps=settings.steps,
        input_wait_seconds=waited,
        first_step_seconds=first_step,
        evaluation_seconds=judging.seconds,
    )


def _evaluation(step: int, clock: PausableClock, scores: Scores) -> Evaluation:
    return Evaluation(
        step=step,
        seconds=clock.seconds,
        validation_loss=finite(scores.loss),
        validation_accuracy=scores.accuracy,
        validation_bits_per_byte=finite(scores.bits_per_byte),
    )


def finite(value: float | None) -> float | None:
    """Return the value, or None where it is not a finite number."""
    return value if value is not None and math.isfinite(value) else None
