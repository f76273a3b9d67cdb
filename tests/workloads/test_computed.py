"""How passes are computed: in which precision, with a scaled loss, compiled, and with the channels innermost."""

import pytest
import torch

from evabench.records.measurement import ConvergenceSettings, MemorySettings
from evabench.records.request import Request
from evabench.settings.autoencoders import AutoencoderSettings
from evabench.settings.classifiers import ClassifierSettings
from evabench.settings.eva import EvaSettings
from evabench.settings.first_order import SgdSettings
from evabench.settings.synthetic import SyntheticSettings
from evabench.worker.build import build_cell
from evabench.worker.measure import measure
from evabench.workloads.computed import plain, set_switches
from tests.runs import cell

CPU = torch.device("cpu")
SMALL = {"widths": (784, 24, 8), "batch": 20}
SHORT = ConvergenceSettings(steps=6, evaluate_every=3, schedule="constant")


def net(**changes):
    return AutoencoderSettings(**SMALL, **changes)


def trained(workload, optimizer, measurement=SHORT):
    made = cell("SGD", measurement, optimizer=optimizer, net=workload)
    return measure(Request(cell=made, seed=0, warmup_steps=0, timeout_seconds=60)).measured


@pytest.mark.parametrize("optimizer", [pytest.param(SgdSettings(lr=0.1), marks=pytest.mark.long), EvaSettings(lr=0.1)])
@pytest.mark.parametrize("precision", ["bf16", pytest.param("fp16", marks=pytest.mark.long)])
def test_training_in_half_precision_ends_near_single_precision_and_not_at_it(optimizer, precision):
    exact, half = (trained(net(precision=one), optimizer) for one in ("fp32", precision))
    assert half.final_validation_loss != exact.final_validation_loss
    assert half.final_validation_loss == pytest.approx(exact.final_validation_loss, rel=0.02)
    assert half.evaluations[-1].validation_loss < half.evaluations[0].validation_loss


def test_activations_in_half_precision_take_less_memory():
    # Many more activations than weights: a copy of these in half precision is alive too.
    wide = {"width": 32, "depth": 8, "batch": 2048}
    exact, half = (
        trained(SyntheticSettings(**wide, precision=one), SgdSettings(lr=0.1), MemorySettings()).peak.activations
        for one in ("fp32", "bf16")
    )
    assert half < 0.8 * exact


def test_a_copy_in_double_precision_is_not_cast():
    workload, _ = build_cell(cell("SGD", SHORT, net=net(precision="fp16")), 0, CPU)
    copied = plain(workload, workload.model.double())
    batch = next(workload.batches())
    assert copied.loss(type(batch)(*(one.double() for one in batch))).dtype is torch.float64
    assert (copied.scaler, copied.autocast) == (None, None)


def test_images_have_their_channels_innermost_and_the_loss_is_the_same():
    losses = []
    for channels_last in (False, True):
        images = ClassifierSettings(
            model="mlp", data="fashion_mnist_subset", width=0.125, batch=8, channels_last=channels_last
        )
        workload, _ = build_cell(cell("SGD", SHORT, net=images), 0, CPU)
        batch = next(workload.batches())
        losses.append(workload.loss(batch).item())
    assert batch.inputs.is_contiguous(memory_format=torch.channels_last)
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def test_a_compiled_model_is_compiled_at_its_first_pass_and_shares_its_weights():
    workload, optimizer = build_cell(cell("SGD", SHORT, net=net(compiled=True)), 0, CPU)
    assert workload.forward is not None
    assert next(workload.forward.parameters()) is next(workload.model.parameters())
    assert optimizer.param_groups[0]["params"][0] is next(workload.model.parameters())


def test_tf32_is_on_where_it_is_asked_for_and_nowhere_else():
    try:
        for precision in ("tf32", "fp32", "bf16"):
            set_switches(precision, deterministic=precision == "bf16")
            found = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
            assert found == (precision == "tf32",) * 2
            assert torch.are_deterministic_algorithms_enabled() == (precision == "bf16")
    finally:
        set_switches("fp32", deterministic=False)
