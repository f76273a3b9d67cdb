"""Numbers too small for full precision: set to 0 in every child, in every thread, unless a suite keeps them."""

from dataclasses import replace

import pytest

from evabench.launch.server import LaunchServer
from evabench.records.measurement import ConvergenceSettings
from evabench.records.request import Request
from evabench.settings.plugin_optimizers import PluginSettings
from tests.runs import SMALL, cell

SMALL_NUMBERS = PluginSettings(name="tests.worker.plugins:Small", options={"lr": 0.1})
TRAINING = ConvergenceSettings(steps=2, evaluate_every=1)


@pytest.fixture(scope="module")
def server():
    with LaunchServer(layout_seed="test") as running:
        yield running


def reply(server, subnormals, optimizer=SMALL_NUMBERS):
    made = replace(cell("Own", TRAINING, optimizer=optimizer, net=SMALL, threads=2), subnormals=subnormals)
    return server.perform(Request(cell=made, seed=0, warmup_steps=0, timeout_seconds=60.0))


@pytest.mark.parametrize(("subnormals", "kept"), [("flush", "kept 0 and 0"), ("keep", "kept 1000000 and 1")])
def test_every_thread_of_a_child_does_with_them_what_the_cell_says(server, subnormals, kept):
    assert kept in reply(server, subnormals).outcome.reason


@pytest.mark.parametrize(("subnormals", "flushed"), [("flush", True), ("keep", False)])
def test_the_child_says_whether_it_flushed_them(server, subnormals, flushed):
    plain = PluginSettings(name="torch.optim:SGD", options={"lr": 0.1})
    assert reply(server, subnormals, plain).subnormals_flushed is flushed
