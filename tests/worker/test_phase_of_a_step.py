"""What the step of an optimizer is where no mark of its own says more."""

import pytest
import torch

from evabench.measurement.step import training_step
from evabench.optimizers import Eva, Shampoo
from evabench.optimizers.phases import listening
from evabench.peers.torch_muon import muon
from evabench.workloads.build import build_workload
from tests.runs import SMALL


class SgdOfSomebody(torch.optim.SGD):
    pass


OPTIMIZERS = {
    "SGD": (lambda model: torch.optim.SGD(model.parameters(), lr=0.1), "update"),
    "AdamW": (lambda model: torch.optim.AdamW(model.parameters()), "update"),
    "a subclass of SGD": (lambda model: SgdOfSomebody(model.parameters(), lr=0.1), "fused"),
    "NAdam": (lambda model: torch.optim.NAdam(model.parameters()), "fused"),
    "Muon, joined with AdamW": (muon, "fused"),
    "Eva": (Eva, "other"),
    "Shampoo": (Shampoo, "other"),
}


class Heard:
    """The parts that are inside no other."""

    def __init__(self):
        self.names, self.depth = [], 0

    def enter(self, name):
        if self.depth == 0:
            self.names.append(name)
        self.depth += 1

    def leave(self):
        self.depth -= 1


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_only_an_optimizer_with_marks_for_all_it_does_leaves_the_rest_to_other(name):
    make, part = OPTIMIZERS[name]
    workload = build_workload(SMALL, seed=0)
    optimizer = make(workload.model)
    heard = Heard()
    with listening(heard):
        training_step(workload, optimizer, next(workload.batches()))
    assert heard.names == ["zero_grad", "forward", "backward", part]
