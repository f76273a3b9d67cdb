"""An optimizer of a package, torch's own NAdam, as a user names it in a suite."""

import pytest

from evabench.launch.server import LaunchServer, Request
from evabench.records.convergence import Convergence
from evabench.records.measurement import ConvergenceSettings, MemorySettings, StepTimeSettings
from evabench.records.memory import Memory
from evabench.records.step_time import StepTime
from evabench.settings.plugin_optimizers import PluginSettings
from tests.runs import SMALL, cell

NADAM = PluginSettings(name="torch.optim:NAdam", options={"lr": 0.002})
MEASUREMENTS = {
    StepTime: StepTimeSettings(),
    Memory: MemorySettings(),
    Convergence: ConvergenceSettings(steps=4, evaluate_every=2),
}


@pytest.fixture(scope="module")
def replies():
    with LaunchServer(layout_seed="test") as server:
        return {
            record: server.perform(
                Request(
                    cell=cell(optimizer=NADAM, measurement=measurement, net=SMALL),
                    seed=0,
                    warmup_steps=2,
                    timeout_seconds=60.0,
                )
            )
            for record, measurement in MEASUREMENTS.items()
        }


@pytest.mark.parametrize("record", MEASUREMENTS)
def test_every_kind_of_measurement_takes_an_optimizer_of_a_package(replies, record):
    assert replies[record].outcome.completed
    assert isinstance(replies[record].measured, record)


def test_what_an_optimizer_does_not_say_is_absent(replies):
    reply = replies[Convergence]
    assert (reply.health, reply.preconditioned_share) == (None, None)
