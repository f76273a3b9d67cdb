"""A moment of training comes back, where it was, whatever an optimizer keeps."""

from collections import deque

import numpy as np
import pytest
import torch

from evabench.measurement.snapshot import Snapshot
from evabench.measurement.step import training_step
from evabench.settings.eva import EvaFSettings, EvaSettings, EvaSSettings
from evabench.settings.first_order import AdamWSettings, SgdSettings
from evabench.settings.kronecker import FoofSettings, KfacSettings
from evabench.settings.mfac import MfacSettings
from evabench.settings.shampoo import ShampooSettings
from evabench.worker.build import build_optimizer, build_workload
from tests.runs import SMALL

ARMS = {
    "SGD": SgdSettings(lr=0.1, momentum=0.9),
    "AdamW": AdamWSettings(lr=0.01),
    "Eva": EvaSettings(),
    "Eva-f": EvaFSettings(),
    "Eva-s": EvaSSettings(),
    "K-FAC": KfacSettings(refresh_every=2),
    "FOOF": FoofSettings(refresh_every=2),
    "Shampoo": ShampooSettings(refresh_every=2),
    "M-FAC": MfacSettings(),
}


class Training:
    def __init__(self, optimizer_of):
        self.workload = build_workload(SMALL, 1)
        self.optimizer = optimizer_of(self.workload.model)
        stream = self.workload.batches()
        self.batches = [next(stream) for _ in range(4)]

    def losses(self):
        return [float(training_step(self.workload, self.optimizer, batch)) for batch in self.batches]

    def places(self):
        tensors = [*self.workload.model.parameters()]
        tensors += [t for state in self.optimizer.state.values() for t in state.values() if isinstance(t, torch.Tensor)]
        return [tensor.data_ptr() for tensor in tensors]


@pytest.mark.parametrize("arm", ARMS)
def test_training_from_a_moment_goes_the_same_way_twice_with_every_tensor_in_its_place(arm):
    training = Training(lambda model: build_optimizer(ARMS[arm], model))
    training.losses()
    moment = Snapshot(training.workload.model, training.optimizer)
    first, places = training.losses(), training.places()
    moment.restore()
    assert training.places() == places
    assert training.losses() == first


class Hoards(torch.optim.SGD):
    """Keeps what torch's own optimizers do not: lists, tuples, arrays, a queue, a lock, and entries that come late."""

    def __init__(self, params):
        super().__init__(params, lr=0.1)
        self.param_groups[0] |= {"count": 0, "rates": [torch.tensor(1.0)]}

    @torch.no_grad()
    def step(self, closure=None):
        group = self.param_groups[0]
        group["count"] += 1
        group["rates"][0] *= 0.9
        group["rates"].append(torch.tensor(0.5))
        for p in group["params"]:
            state = self.state[p]
            state.setdefault("nested", {"array": np.zeros(2), "pair": (torch.zeros(1), 3), "last": deque(maxlen=2)})
            state["nested"]["array"] += 1
            state["nested"]["pair"][0].add_(1)
            state["nested"]["last"].append(group["count"])
            state["expanded"] = torch.ones(1).expand(3)
            p -= p.grad * group["rates"][0] * state["nested"]["array"][0] / state["nested"]["pair"][0]
        self.state["of all"] = [group["count"]]
        if group["count"] > 4:
            self.state["late"] = group["count"]


def test_whatever_lies_in_the_state_comes_back_and_what_came_later_is_forgotten():
    training = Training(lambda model: Hoards(model.parameters()))
    training.losses()
    moment = Snapshot(training.workload.model, training.optimizer)
    rate, first = training.optimizer.param_groups[0]["rates"][0], training.losses()
    assert "late" in training.optimizer.state
    moment.restore()
    group, state = training.optimizer.param_groups[0], training.optimizer.state
    assert (group["count"], len(group["rates"]), state["of all"], "late" in state) == (4, 5, [4], False)
    assert group["rates"][0] is rate
    assert list(state[group["params"][0]]["nested"]["last"]) == [3, 4]
    assert training.losses() == first


def test_the_buffers_of_a_model_come_back():
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    moment = Snapshot(model, torch.optim.SGD(model.parameters(), lr=0.1))
    model(torch.randn(4, 2))
    assert model[1].num_batches_tracked == 1
    moment.restore()
    assert model[1].num_batches_tracked == 0
    assert torch.equal(model[1].running_mean, torch.zeros(3))
