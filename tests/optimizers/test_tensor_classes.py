"""Inputs of other classes than `torch.Tensor`."""

import pytest
import torch

from evabench.optimizers import FOOF, KFAC, Eva, EvaF
from evabench.optimizers.shell.health import health
from tests.optimizers.models import batch, small_net

each_class = pytest.mark.parametrize("optimizer_class", [Eva, EvaF, FOOF, KFAC])


class Labelled(torch.Tensor):
    """A user's subclass, which says nothing of what torch does with it."""


@each_class
def test_a_subclass_of_the_users_stays_out_of_the_state(optimizer_class):
    model = small_net()
    optimizer = optimizer_class(model)
    model(batch()[0].as_subclass(Labelled)).square().mean().backward()
    optimizer.step()
    assert {type(value) for state in optimizer.state.values() for value in state.values()} == {torch.Tensor}


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta state:UserWarning")
@each_class
@pytest.mark.parametrize("as_sparse", [torch.Tensor.to_sparse, torch.Tensor.to_sparse_csr])
def test_sparse_inputs_take_the_plain_gradient_and_are_named(optimizer_class, as_sparse):
    model = small_net()
    optimizer = optimizer_class(model)
    model(as_sparse(batch()[0])).square().mean().backward()
    optimizer.step()
    assert "its inputs have the layout torch.sparse_" in health(optimizer).why_plain["0"]


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors is in prototype stage:UserWarning")
@each_class
def test_nested_tensors_take_the_plain_gradient_and_are_named(optimizer_class):
    model = small_net()
    optimizer = optimizer_class(model)
    rows = torch.nested.nested_tensor([batch(3)[0], batch(5)[0]], layout=torch.jagged)
    model(rows).values().square().mean().backward()
    optimizer.step()
    assert "NestedTensors" in health(optimizer).why_plain["0"]
