"""Which devices a word names: found by NVML, never by a context; a wrong word is told with what is allowed."""

from threading import Barrier, Thread

import pytest

from evabench.errors import DeviceError
from evabench.runner.devices import Devices, DeviceShares, find_devices
from tests.nvml.stand_in import TWO_GPUS


def found(asked, environment):
    try:
        devices = find_devices(asked, environment)
    except DeviceError as error:
        return str(error)
    return devices.kind, devices.indices, devices.words


def test_nobody_looks_for_a_cpu():
    assert found("cpu", {}) == ("cpu", (0,), None)


@pytest.mark.parametrize("word", ["", "cuda:", "cuda:x", "cpu:1", "CUDA", "a gpu", "cuda:-1"])
def test_what_is_no_device_is_told_with_what_is_allowed(word):
    assert 'Allowed: "auto", "cpu", "cuda", "cuda:1"' in found(word, {})


@pytest.mark.parametrize(
    ("asked", "environment", "indices"),
    [
        ("cuda", {}, (0, 1)),
        ("cuda:1", {}, (1,)),
        ("cuda", {"CUDA_VISIBLE_DEVICES": "1"}, (0,)),
        ("auto", {}, (0, 1)),
    ],
)
def test_the_gpus_are_those_that_cuda_would_show(stand_in, asked, environment, indices):
    kind, seen, words = stand_in.ask(found, TWO_GPUS, asked, environment)
    assert (kind, seen) == ("cuda", indices)
    assert f"cuda:{indices[0]}, NVIDIA H100" in words


@pytest.mark.parametrize(
    ("asked", "environment", "words"),
    [
        ("cuda:2", {}, "There is cuda:0, cuda:1"),
        ("cuda:1", {"CUDA_VISIBLE_DEVICES": "0"}, "There is cuda:0"),
        ("cuda", {"CUDA_VISIBLE_DEVICES": ""}, "CUDA_VISIBLE_DEVICES hides every GPU"),
    ],
)
def test_a_gpu_that_is_not_shown_is_refused(stand_in, asked, environment, words):
    assert words in stand_in.ask(found, TWO_GPUS, asked, environment)


@pytest.mark.parametrize(
    ("asked", "used", "words"),
    [
        (
            "cuda",
            {"gpu.0.compute": "4194305:1024"},
            "cuda:0 is in use by another process (`nvidia-smi` names them). Times",
        ),
        ("cuda:1", {"gpu.1.compute": "4194305:1024", "gpu.1.graphics": "7:1"}, "cuda:1 is in use by 2 other processes"),
    ],
)
def test_a_gpu_that_others_use_is_told_before_the_first_run(stand_in, asked, used, words):
    assert words in stand_in.ask(found, TWO_GPUS | used, asked, {})[2]


def test_nothing_is_told_of_a_gpu_that_others_use_where_no_run_is_to_be_there(stand_in):
    assert "in use" not in stand_in.ask(found, TWO_GPUS | {"gpu.1.compute": "4194305:1024"}, "cuda:0", {})[2]


def test_without_a_driver_the_reason_is_told(no_library):
    assert "libnvidia-ml.so.1 was not found" in no_library.ask(found, {}, "cuda", {})


def test_runs_that_are_made_at_once_have_devices_of_their_own_and_a_timed_one_the_first():
    shares, met = DeviceShares(Devices(kind="cuda", indices=(4, 7)), jobs=3), Barrier(3)
    taken = []

    def run():
        with shares.one(alone=False) as index:
            taken.append(index)
            met.wait()

    threads = [Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [4, 4, 7]
    with shares.one(alone=True) as index:
        assert index == 4
