"""Which devices CUDA shows, whatever its variables say."""

import pytest

from evabench.nvml.library import Nvml
from evabench.nvml.visible import visible_devices
from tests.nvml.stand_in import GPU_0, GPU_1, SLICE_0, SLICE_2, SLICED, TWO_GPUS

DIFFERENT = {**TWO_GPUS, "gpu.1.name": "NVIDIA A100"}
BUS = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


def visible_uuids(environment):
    with Nvml() as nvml:
        devices = visible_devices(nvml, environment)
        return None if devices is None else [device.uuid for device in devices], nvml.missing


@pytest.mark.parametrize(
    ("wanted", "uuids"),
    [
        (None, [GPU_0, GPU_1]),
        ("", []),
        ("0", [GPU_0]),
        ("1", [GPU_1]),
        ("1,0", [GPU_1, GPU_0]),
        (" 1 , 0 ", [GPU_1, GPU_0]),
        ("1gpu", [GPU_1]),
        ("1,7,0", [GPU_1]),
        ("-1", []),
        ("1,-1,0", [GPU_1]),
        ("NoDevFiles", []),
        ("0,0", []),
        (GPU_1, [GPU_1]),
        ("GPU-bbbb", [GPU_1]),
        ("GPU-bbbb,GPU-aaaa", [GPU_1, GPU_0]),
        ("GPU-", []),
        ("GPU-ffff,GPU-aaaa", []),
        ("GPU-bbbb,0", [GPU_1]),
        ("GPU-bbbb,GPU-bbbb2", []),
        ("MIG-cccc", []),
    ],
)
def test_the_list_is_read_as_cuda_reads_it(stand_in, wanted, uuids):
    environment = BUS if wanted is None else {**BUS, "CUDA_VISIBLE_DEVICES": wanted}
    assert stand_in.ask(visible_uuids, TWO_GPUS, environment) == (uuids, ())


@pytest.mark.parametrize(
    ("wanted", "uuids"),
    [
        (None, [SLICE_0]),
        (SLICE_2, [SLICE_2]),
        ("MIG-dddd", [SLICE_2]),
        ("MIG-dddd,MIG-cccc", [SLICE_2]),
        ("1", [SLICE_0]),
        ("0", [GPU_0]),
        ("0,1", [SLICE_0]),
        (GPU_1, [SLICE_0]),
    ],
)
def test_of_slices_cuda_shows_one_and_then_no_gpu_beside_it(stand_in, wanted, uuids):
    environment = BUS if wanted is None else {**BUS, "CUDA_VISIBLE_DEVICES": wanted}
    assert stand_in.ask(visible_uuids, SLICED, environment) == (uuids, ())


def test_among_gpus_of_one_model_a_number_is_clear_without_the_order_of_the_bus(stand_in):
    assert stand_in.ask(visible_uuids, TWO_GPUS, {"CUDA_VISIBLE_DEVICES": "1"}) == ([GPU_1], ())


def test_among_different_models_a_number_needs_the_order_of_the_bus(stand_in):
    uuids, (reason,) = stand_in.ask(visible_uuids, DIFFERENT, {"CUDA_VISIBLE_DEVICES": "1"})
    assert uuids is None
    assert reason.startswith("CUDA_VISIBLE_DEVICES=1: CUDA may number these GPUs")
    assert "set CUDA_DEVICE_ORDER=PCI_BUS_ID" in reason
    assert stand_in.ask(visible_uuids, DIFFERENT, {"CUDA_VISIBLE_DEVICES": "1", **BUS}) == ([GPU_1], ())


def test_a_uuid_is_clear_among_different_models(stand_in):
    assert stand_in.ask(visible_uuids, DIFFERENT, {"CUDA_VISIBLE_DEVICES": GPU_1}) == ([GPU_1], ())


def test_without_a_library_nothing_is_known_about_what_is_visible(no_library):
    uuids, missing = no_library.ask(visible_uuids, {}, {"CUDA_VISIBLE_DEVICES": "0"})
    assert uuids is None
    assert len(missing) == 1
