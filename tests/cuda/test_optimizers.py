"""Every optimizer trains on a GPU as on the CPU, and never makes the host wait in a plain step."""

import pytest
import torch

from evabench.optimizers import Eva, EvaF
from tests.cuda import NEEDS_A_GPU
from tools.gpu_check.agreement import (
    BUILDS,
    NETS,
    difference,
    fails_where_the_host_waits,
    trained,
)

pytestmark = list(NEEDS_A_GPU)

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)
each_optimizer = pytest.mark.parametrize("arm", BUILDS)
each_net = pytest.mark.parametrize("kind", NETS)


@each_optimizer
@each_net
def test_in_double_precision_a_gpu_trains_as_the_cpu_does(kind, arm):
    assert difference(trained(kind, arm, GPU), trained(kind, arm, CPU)) < 1e-6


@each_optimizer
@each_net
@pytest.mark.parametrize("kept", [torch.bfloat16, torch.float16], ids=["bfloat16", "float16"])
def test_every_optimizer_trains_under_autocast_with_a_scaler_where_there_is_one(kind, arm, kept):
    found = trained(kind, arm, GPU, torch.float32, autocast=kept, num_steps=10)
    assert all(bool(parameter.isfinite().all()) for parameter in found.parameters)
    assert found.moved
    assert found.num_skipped <= 5


@each_optimizer
@each_net
def test_the_host_waits_in_no_plain_step(kind, arm):
    assert fails_where_the_host_waits(kind, arm, GPU) is None


@pytest.mark.parametrize("optimizer_class", [Eva, EvaF])
def test_compiled_steps_are_the_eager_ones(optimizer_class):
    runs = [
        trained("mlp", lambda model, how=how: optimizer_class(model, lr=0.01, compile=how), GPU, num_steps=5)
        for how in (False, True)
    ]
    assert difference(*runs) < 1e-9
