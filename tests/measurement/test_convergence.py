"""A training run: what is told at an evaluation, what the clock counts, and where it stops."""

import math

import torch

from evabench.measurement.convergence import PausableClock, Training, train_to_budget
from evabench.records.convergence import Scores
from evabench.records.measurement import ConvergenceSettings


class FakeTraining:
    """A batch takes 2 s to come and 3 s to train on, the first one also 40 s if asked to; an evaluation takes 100 s."""

    def __init__(self, scores=None, loss=1.0, compile_seconds=0.0):
        self.time = 0.0
        self.compile_seconds = compile_seconds
        self.scores = scores or Scores(loss=0.5, accuracy=0.75, bits_per_byte=2.0)
        self.loss = loss

    def next_batch(self):
        self.time += 2.0
        return "batch"

    def step(self, index, batch):
        assert batch == "batch"
        self.time += 3.0 + (self.compile_seconds if index == 0 else 0.0)
        return torch.tensor(self.loss)

    def evaluate(self):
        self.time += 100.0
        return self.scores

    def run(self, steps=4, evaluate_every=2):
        training = Training(
            next_batch=self.next_batch,
            step=self.step,
            before_training=self.evaluate,
            validation=self.evaluate,
            test=self.evaluate,
        )
        settings = ConvergenceSettings(steps=steps, evaluate_every=evaluate_every)
        return train_to_budget(training, settings, PausableClock(now=lambda: self.time))


def test_every_evaluation_keeps_loss_accuracy_and_bits_per_byte():
    curve = FakeTraining().run()
    assert [point.step for point in curve.evaluations] == [0, 2, 4]
    assert {(point.validation_loss, point.validation_accuracy) for point in curve.evaluations} == {(0.5, 0.75)}
    assert curve.evaluations[-1].validation_bits_per_byte == 2.0
    assert (curve.test_loss, curve.test_accuracy, curve.test_bits_per_byte) == (0.5, 0.75, 2.0)


def test_the_clock_leaves_evaluations_out_and_tells_the_wait_for_batches_apart():
    curve = FakeTraining().run()
    assert [point.seconds for point in curve.evaluations] == [0.0, 10.0, 20.0]
    assert curve.input_wait_seconds == 8.0
    assert curve.evaluation_seconds == 400.0  # before training, twice in it, and the test


def test_the_first_step_in_which_code_is_compiled_is_told_apart():
    curve = FakeTraining(compile_seconds=40.0).run()
    assert curve.first_step_seconds == 43.0
    assert curve.clock_seconds - curve.first_step_seconds == 4 * 2.0 + 3 * 3.0


def test_what_a_workload_does_not_have_is_none():
    curve = FakeTraining(Scores(loss=0.5)).run()
    assert curve.evaluations[-1].validation_accuracy is None
    assert curve.test_bits_per_byte is None


def test_a_run_ends_at_the_first_evaluation_that_is_not_finite():
    curve = FakeTraining(loss=math.nan).run(steps=8)
    assert curve.evaluations[-1].step == 2
    assert curve.training_losses == (None, None)
    assert curve.test_loss is None
