"""Watches a training run: all that has to be equal for every arm, and what no step time would show.

Whatever takes time is done while the training clock stands still. Inside it are, at each step, two readings of the CPU
time and, at ten steps, one hook.
"""

import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter, process_time

import torch
from torch import Tensor

from evabench.measurement.bench import Bench
from evabench.measurement.device import allocated_bytes, synchronize
from evabench.measurement.memory.state import state_bytes
from evabench.measurement.modes import evaluating, has_modes
from evabench.measurement.resident import rss_high_water_bytes
from evabench.measurement.switches import changed_switches
from evabench.measurement.watch.checksums import changed, checksums
from evabench.measurement.watch.effort import effort_of
from evabench.measurement.watch.passes import PassWatch
from evabench.measurement.watch.pausable_clock import PausableClock
from evabench.measurement.watch.processes import ProcessWatch, anonymous_bytes
from evabench.measurement.watch.untouched_net import Untouched, UntouchedNet
from evabench.records.checks import JudgedAgain, TrainingChecks, WatchedBatch
from evabench.records.convergence import Scores
from evabench.records.measurement import ConvergenceSettings
from evabench.units import Seconds
from evabench.workloads.journal import Journal
from evabench.workloads.workload import Batch

_NUM_DRAWN = 8
_NUM_JUDGED_AGAIN = 2  # beside the last evaluation
_NUM_TOLD = 8
# An optimizer with two points comes back to the one that it trains at by computing it anew.
_ROUNDING = 1e-4


class TrainingWatch:
    """Begins when workload and optimizer are made, before the first evaluation."""

    def __init__(self, bench: Bench, settings: ConvergenceSettings, clock: PausableClock) -> None:
        began = perf_counter()
        self._bench, self._clock = bench, clock
        self._untouched = UntouchedNet.of(bench)
        self._parameters = dict(bench.workload.model.named_parameters())
        self._at_start = self._sums()
        self._data = self._data_sums()
        self._journal = Journal()
        self._passes = PassWatch(bench.workload.model)
        self._processes = ProcessWatch(lambda: bench.workload.source.readers)
        self._drawn = drawn_steps(bench.seed, settings.steps)
        self._again = drawn_evaluations(bench.seed, settings)
        self._looked_at: list[tuple[WatchedBatch, Tensor, Untouched]] = []  # with both losses
        self._judged_again: list[JudgedAgain] = []
        self._cpu: list[Seconds] = []
        self._evaluations_changed: list[int] = []
        self._evaluation_cpu, self._num_evaluations = 0.0, 0
        self.seconds = perf_counter() - began  # that watching took, beside the evaluations

    def batches(self) -> Iterator[Batch]:
        """Yield the training batches, and note what they are made of."""
        return self._bench.workload.batches(self._journal)

    def train(self, batch: Batch) -> Tensor:
        """Make one step and return its loss; at the steps that are drawn look at it more closely."""
        step = len(self._cpu)
        if step not in self._drawn:
            return self._train(batch)
        with self._aside():
            untouched = self._untouched.loss(batch) if self._untouched else Untouched(None, None)
            self._passes.begin(step, batch)
        try:
            loss = self._train(batch)
        finally:
            with self._aside():
                seen = self._passes.end(closure=self._bench.closure)
        self._looked_at.append((seen, loss, untouched))
        return loss

    def evaluate(self, scores: Callable[[], Scores]) -> Scores:
        """Return scores at the point that is to be judged; the clock stands still. Parameters must stay as they are."""
        self._journal.digest()  # so that no list grows over a whole training
        self._processes.look()
        optimizer = self._bench.optimizer
        trained = [p.detach().clone() for p in self._parameters.values()] if has_modes(optimizer) else None
        cpu = -process_time()
        with evaluating(optimizer):
            before = self._sums(cpu_of := [0.0])
            found = scores()
            same = self._sums(cpu_of) == before
            cpu_of[0] += self._judge_again(found)
        cpu += process_time() - cpu_of[0]
        self._evaluation_cpu += cpu
        self._num_evaluations += 1
        if not same or (trained is not None and not self._is_back_at(trained)):
            self._evaluations_changed.append(len(self._cpu))
        return found

    def found(self) -> TrainingChecks:
        """Return what was seen, at the end of the run."""
        began, bench = perf_counter(), self._bench
        found = TrainingChecks(
            made_changed=self._made_changed(),
            order_digest=self._journal.digest(),
            batches=tuple(_with_losses(*looked) for looked in self._looked_at),
            evaluations_changed=tuple(self._evaluations_changed[:_NUM_TOLD]),
            data_changed=changed(self._data, self._data_sums()),
            effort=effort_of(self._cpu, bench.cycle_steps),
            evaluation_cpu_seconds=self._evaluation_cpu,
            num_evaluations=self._num_evaluations,
            processes=self._processes.found(),
            state_bytes=state_bytes(bench.optimizer),
            anonymous_bytes=anonymous_bytes(),
            high_water_bytes=rss_high_water_bytes(),
            device_bytes=allocated_bytes(bench.device),
            judged_again=tuple(self._judged_again),
            layer_calls_when_made=bench.layer_calls if self._untouched else None,  # a user's own net may be run
            switches_changed=changed_switches(bench.switches),
        )
        self.seconds += perf_counter() - began
        return found

    @contextmanager
    def _aside(self) -> Iterator[None]:
        with self._clock.standing_still(self._wait):
            began = perf_counter()
            try:
                yield
            finally:
                self.seconds += perf_counter() - began

    def _train(self, batch: Batch) -> Tensor:
        began = process_time()
        loss = self._bench.train(batch)
        self._cpu.append(process_time() - began)
        return loss

    def _sums(self, cpu: list[float] | None = None) -> dict[str, int]:
        began = process_time()
        sums = dict(zip(self._parameters, checksums(self._parameters.values()), strict=True))
        if cpu is not None:
            cpu[0] += process_time() - began  # our own work, and no part of an evaluation
        return sums

    def _data_sums(self) -> dict[str, int]:
        stored = self._bench.workload.source.stored()
        # Inputs that are their own targets are looked at once.
        return {split: sum(checksums(dict.fromkeys(tensors))) for split, tensors in stored.items()}

    def _is_back_at(self, trained: list[Tensor]) -> bool:
        pairs = zip(self._parameters.values(), trained, strict=True)
        return all(
            float(torch.linalg.vector_norm(now.detach() - before))
            <= _ROUNDING * float(torch.linalg.vector_norm(before)) + 1e-12
            for now, before in pairs
        )

    def _made_changed(self) -> tuple[str, ...] | None:
        """Return the parameters that the making of the optimizer, or what came before the first step, has changed."""
        if self._untouched is None:
            return None
        return changed(self._untouched.drawn, self._at_start)[:_NUM_TOLD]

    def _judge_again(self, scores: Scores) -> Seconds:
        """Judge the weights once more in the untouched net, where the seed draws that; return the CPU time it took."""
        step = len(self._cpu)
        if step not in self._again or self._untouched is None:
            return 0.0
        began = process_time()
        self._again.remove(step)  # the last step is judged on two splits
        again = self._untouched.validation_loss()
        self._judged_again.append(JudgedAgain(step=step, loss=_finite(scores.loss), untouched_loss=again))
        return process_time() - began

    def _wait(self) -> None:
        synchronize(self._bench.device)


def drawn_steps(seed: int, num_steps: int) -> frozenset[int]:
    """Return the first step, the last one and some between: the same for every arm of a seed and a budget."""
    between = range(1, num_steps - 1)
    drawn = random.Random(seed).sample(between, min(_NUM_DRAWN, len(between)))
    return frozenset({0, num_steps - 1, *drawn})


def drawn_evaluations(seed: int, settings: ConvergenceSettings) -> set[int]:
    """Return the steps of the last evaluation, and of some between: the same for every arm of a seed and a budget."""
    between = range(settings.evaluate_every, settings.steps, settings.evaluate_every)
    return {settings.steps, *random.Random(seed).sample(between, min(_NUM_JUDGED_AGAIN, len(between)))}


def _with_losses(seen: WatchedBatch, loss: Tensor, untouched: Untouched) -> WatchedBatch:
    return replace(
        seen,
        loss=_finite(float(loss)),
        untouched_loss=untouched.loss,
        untouched_layer_calls=untouched.num_layer_calls,
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
