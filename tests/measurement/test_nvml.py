"""Device memory: peaks of what NVML said while steps ran, exact; on a CPU none, with the reason."""

import torch

from evabench.measurement.memory.nvml import DeviceMemoryPeak, watch_device_memory, watch_nvml_memory
from evabench.nvml.processes import OwnPids
from tests.nvml.stand_in import GPU_0, ONE_GPU, change_scenario

OURS = OwnPids(pids=frozenset({100}), reason=None)
HOUR = 3600.0  # no sample but those at the ends and those that the test takes
BEFORE = {**ONE_GPU, "gpu.0.used": 1000, "gpu.0.compute": "200:400"}


def used(device_bytes, processes):
    return {**ONE_GPU, "gpu.0.used": device_bytes, "gpu.0.compute": processes}


def watch(own, *scenarios):
    peak = DeviceMemoryPeak()
    with watch_nvml_memory(GPU_0, own, peak, HOUR) as look:
        for scenario in scenarios:
            change_scenario(scenario)
            look()
    return peak.found


def test_the_peaks_are_those_of_the_samples_and_not_of_the_ends(stand_in):
    found = stand_in.ask(
        watch, BEFORE, OURS, used(5000, "100:4000,200:400"), used(9000, "100:3000,200:5400,300:1"), BEFORE
    )
    assert found.process_bytes == 4000
    assert found.device_bytes == 9000
    assert found.device_bytes_before == 1000
    assert found.most_processes == 3
    assert found.sampling.num_samples == 5
    assert found.missing == ()


def test_in_a_container_the_device_is_known_and_the_process_is_none_with_the_reason_once(stand_in):
    unknown = OwnPids(pids=frozenset(), reason="its number on the host is not known")
    found = stand_in.ask(watch, BEFORE, unknown, used(5000, "31337:4000"), BEFORE)
    assert (found.process_bytes, found.device_bytes) == (None, 5000)
    assert found.missing == (f"NVIDIA H100 ({GPU_0}), memory of this process: its number on the host is not known.",)


def test_memory_that_may_not_be_read_is_none_while_the_process_is_known(stand_in):
    found = stand_in.ask(watch, {**used(1, "100:64"), "gpu.0.used": "error:4"}, OURS)
    assert (found.process_bytes, found.device_bytes) == (64, None)
    assert found.missing == (f"NVIDIA H100 ({GPU_0}), memory: no permission to read it.",)


def test_without_a_library_every_figure_is_none_and_the_block_still_runs(no_library):
    found = no_library.ask(watch, {}, OURS, {})
    assert (found.process_bytes, found.device_bytes, found.sampling) == (None, None, None)
    assert len(found.missing) == 1


def test_on_a_cpu_there_is_no_device_memory_and_the_record_says_why():
    with watch_device_memory(torch.device("cpu")) as peak:
        pass
    assert (peak.found.allocated_bytes, peak.found.reserved_bytes, peak.found.process_bytes) == (None, None, None)
    assert peak.found.missing == ("device memory: this run trained on a CPU, which has none.",)
