"""Adagrad takes torch's fused kernel where there is one for the device."""

import pytest
import torch
from torch import nn

from evabench.peers.torch_adagrad import adagrad


def test_on_a_cpu_it_is_fused():
    (group,) = adagrad(nn.Linear(2, 2).parameters(), lr=0.01, weight_decay=0.1).param_groups
    assert group["fused"]
    assert (group["lr"], group["weight_decay"]) == (0.01, 0.1)


def test_where_torch_has_no_fused_kernel_it_takes_another_with_the_same_settings():
    weights = [torch.zeros(2, dtype=torch.complex64, requires_grad=True)]  # none for these, as on CUDA in 2.11
    (group,) = adagrad(weights, lr=0.01, weight_decay=0.1).param_groups
    assert not group["fused"]
    assert (group["lr"], group["weight_decay"]) == (0.01, 0.1)


def test_a_rate_that_torch_refuses_is_refused():
    with pytest.raises(ValueError, match="Invalid learning rate"):
        adagrad([torch.zeros(2, requires_grad=True)], lr=-1.0)
