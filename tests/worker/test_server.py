"""The launch server: whatever happens in a child becomes an outcome, and the next child is fresh."""

import re
from pathlib import Path

import pytest

from evabench.findings.interruptions import interruptions
from evabench.launch.server import LaunchServer
from evabench.records.measurement import ConvergenceSettings, StepTimeSettings, WarmUpSettings
from evabench.records.memory import Memory
from evabench.records.request import Request
from evabench.records.step_time import StepTime, WarmUp
from evabench.settings.eva import EvaSettings
from evabench.settings.first_order import AdamWSettings, SgdSettings
from evabench.settings.kronecker import KfacSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.shampoo import ShampooSettings
from tests.runs import SMALL, cell

PLUGINS = Path(__file__).parent / "plugins.py"
TRAINING = ConvergenceSettings(steps=8, evaluate_every=4)


@pytest.fixture(scope="module")
def server():
    with LaunchServer(layout_seed="test") as started:
        yield started


def ask(server, optimizer, measurement=None, *, warmup_steps=0, timeout_seconds=60.0, seed=3):
    return server.perform(
        Request(
            cell=cell(optimizer=optimizer, measurement=measurement, net=SMALL),
            seed=seed,
            warmup_steps=warmup_steps,
            timeout_seconds=timeout_seconds,
        )
    )


def plugin(name):
    return PluginSettings(name=f"{PLUGINS}:{name}", options={"lr": 0.1})


def test_every_kind_of_measurement_comes_back_as_its_record(server):
    sgd = SgdSettings(lr=0.1)
    assert isinstance(ask(server, sgd, WarmUpSettings()).measured, WarmUp)
    assert isinstance(ask(server, sgd, StepTimeSettings(), warmup_steps=5).measured, StepTime)
    assert isinstance(ask(server, sgd).measured, Memory)
    training = ask(server, sgd, TRAINING).measured
    assert [evaluation.step for evaluation in training.evaluations] == [0, 4, 8]
    assert len(training.training_losses) == 8
    assert training.test_loss is not None


def test_on_a_cpu_the_records_say_why_they_have_no_device_memory_and_which_energy_they_have(server):
    memory = ask(server, SgdSettings(lr=0.1)).measured.device
    assert (memory.allocated_bytes, memory.process_bytes) == (None, None)
    assert memory.missing == ("device memory: this run trained on a CPU, which has none.",)
    energy = ask(server, SgdSettings(lr=0.1), StepTimeSettings(), warmup_steps=5).measured.energy
    assert energy.missing or energy.joules_per_step("cpu") > 0
    assert energy.joules_per_step("gpu") is None


def test_every_arm_with_one_seed_starts_from_the_same_weights_and_sees_the_same_batches(server):
    arms = (SgdSettings(lr=1e-9), AdamWSettings(lr=1e-9), EvaSettings(lr=1e-9), KfacSettings(), ShampooSettings())
    curves = [ask(server, arm, TRAINING).measured for arm in arms]
    assert len({curve.evaluations[0].validation_loss for curve in curves}) == 1
    assert len({curve.training_losses[0] for curve in curves}) == 1


def test_the_same_seed_gives_the_same_run_and_another_seed_another(server):
    first, again = (ask(server, EvaSettings(), TRAINING).measured.training_losses for _ in range(2))
    assert first == again
    assert ask(server, EvaSettings(), TRAINING, seed=4).measured.training_losses != first


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("Raises", "crashed", "RuntimeError: the moon is full"),
        ("Exits", "crashed", "exit code 7"),
        ("Quits", "crashed", r"the measured code raised SystemExit\(enough\)"),
        ("EndsItsServer", "lost", "its launch server was killed by SIGKILL"),
        ("Kills", "killed", "SIGSEGV"),
        ("SaysNothing", "crashed", r"^NotImplementedError \(plugins\.py, line \d+, in step\)$"),
        ("HandsTorchNonsense", "crashed", r"^RuntimeError: mat1 .* \(plugins\.py, line \d+, in step\)$"),
        ("Escapes", "crashed", r"^RuntimeError: \\x1b\[2Jgone\\x07 \(plugins\.py, line \d+, in step\)$"),
        ("Grabs", "out_of_memory", "allocate"),
        ("Missing", "crashed", "has no Missing. It has: .*Works"),
    ],
)
def test_a_child_that_fails_is_an_outcome_and_the_next_one_works(server, name, kind, reason):
    outcome = ask(server, plugin(name)).outcome
    assert outcome.kind == kind
    assert re.search(reason, outcome.reason)
    assert ask(server, plugin("Works")).outcome.completed


def test_a_crash_leaves_its_traceback_in_the_record(server):
    assert "plugins.py" in ask(server, plugin("Raises")).outcome.stderr_tail


def test_a_process_that_is_stopped_in_a_timed_block_and_goes_on_was_interrupted(server):
    visit = ask(server, plugin("IsStopped"), StepTimeSettings(), warmup_steps=5).measured
    assert interruptions(visit) != ()
    assert sum(visit.block_seconds) - sum(visit.cpu_seconds) > 0.2


def test_a_child_that_hangs_is_ended_when_its_time_is_up(server):
    outcome = ask(server, plugin("Hangs"), timeout_seconds=1.0).outcome
    assert (outcome.kind, outcome.reason) == ("timeout", "took longer than 1 s")


def test_a_child_that_closes_its_pipes_and_hangs_is_ended_too(server):
    assert ask(server, plugin("ClosesItsPipes"), timeout_seconds=1.0).outcome.kind == "timeout"


def test_what_a_child_leaves_behind_neither_delays_its_result_nor_runs_beside_the_next(server, tmp_path):
    notes = tmp_path / "pids"
    leaves = PluginSettings(name=f"{PLUGINS}:LeavesForks", options={"lr": 0.1, "notes": str(notes)})
    assert ask(server, leaves).outcome.completed
    pids = notes.read_text().split()
    assert len(pids) == 2
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_what_a_child_prints_cannot_corrupt_its_result(server):
    reply = ask(server, plugin("Prints"))
    assert reply.outcome.completed
    assert isinstance(reply.measured, Memory)
    assert "a warning" in reply.outcome.stderr_tail


def test_a_divergence_is_an_outcome_that_keeps_its_curve(server):
    reply = ask(server, plugin("Explodes"), TRAINING)
    assert reply.outcome.kind == "diverged"
    assert reply.measured.evaluations[0].validation_loss is not None
    assert reply.measured.evaluations[-1].validation_loss is None
    assert reply.measured.test_loss is None


def test_skipped_steps_are_an_outcome_that_names_the_layer(server):
    reply = ask(server, EvaSettings(lr=1e30, clip="none"), ConvergenceSettings(steps=16, evaluate_every=8))
    assert reply.outcome.kind == "diverged"
    assert "steps were skipped because of gradients that were not finite: " in reply.outcome.reason
    assert reply.health.skipped_steps
    assert next(iter(reply.health.skipped_steps)) in reply.outcome.reason


def test_a_rate_that_would_diverge_in_a_training_run_does_not_disturb_a_timing(server):
    wild = EvaSettings(lr=10.0, clip="none")
    assert ask(server, wild, ConvergenceSettings(steps=40, evaluate_every=20)).outcome.kind == "diverged"
    timed = ask(server, wild, StepTimeSettings(), warmup_steps=10)
    assert timed.outcome.completed
    assert timed.measured.rate_share < 1


def test_an_optimizer_says_how_it_is_and_what_it_preconditions(server):
    reply = ask(server, EvaSettings(lr=1e-3), TRAINING)
    assert reply.health.num_layers == 4
    assert reply.health.layers_without_statistics == ()
    assert reply.preconditioned_share == 1.0


def test_an_optimizer_that_says_nothing_has_no_health(server):
    reply = ask(server, SgdSettings(lr=0.1))
    assert reply.health is None
    assert reply.preconditioned_share is None


def test_a_child_has_one_thread_unless_the_suite_says_otherwise(server):
    assert ask(server, SgdSettings(lr=0.1)).threads == 1
