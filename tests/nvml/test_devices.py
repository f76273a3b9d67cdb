"""What NVML says about a device, by the real bindings: exact numbers, or None with its reason, once."""

import os

from evabench.nvml.devices import all_gpus, device_of_uuid, slices_of
from evabench.nvml.library import Nvml
from tests.nvml.stand_in import GPU_0, GPU_1, ONE_GPU, SLICE_0, SLICE_2, SLICED, TWO_GPUS, change_scenario

READINGS = (
    "used_bytes",
    "total_bytes",
    "utilisation",
    "sm_clock",
    "max_sm_clock",
    "memory_clock",
    "clock_limits",
    "power",
    "energy",
)


def read_all(uuid=GPU_0, times=1):
    with Nvml() as nvml:
        device = device_of_uuid(nvml, uuid)
        for _ in range(times):
            readings = {name: getattr(device, name)() for name in READINGS} if device else None
        return readings, nvml.missing


def uuids():
    with Nvml() as nvml:
        return [(gpu.uuid, [one.uuid for one in slices_of(gpu)]) for gpu in all_gpus(nvml)]


def nothing():
    with Nvml() as nvml:
        return nvml.available, all_gpus(nvml), device_of_uuid(nvml, GPU_0), nvml.missing


def test_every_reading_is_in_base_units_and_without_the_drivers_own_reserve(stand_in):
    readings, missing = stand_in.ask(read_all, ONE_GPU)
    assert readings == {
        "used_bytes": 3 << 30,
        "total_bytes": 80 << 30,
        "utilisation": 0.42,
        "sm_clock": 1755e6,
        "max_sm_clock": 1980e6,
        "memory_clock": 2619e6,
        "clock_limits": (),
        "power": 350.5,
        "energy": 7000.25,
    }
    assert missing == ()


def test_what_holds_the_clocks_down_is_said_in_words(stand_in):
    readings, _ = stand_in.ask(read_all, {**ONE_GPU, "gpu.0.clock_limits": 0x4 | 0x40 | 0x1000})
    assert readings["clock_limits"] == ("power limit", "hardware thermal slowdown", "unknown reason 0x1000")


def test_a_counter_that_the_device_lacks_is_none_with_the_reason_once(stand_in):
    scenario = {key: value for key, value in ONE_GPU.items() if key != "gpu.0.energy"}
    readings, missing = stand_in.ask(read_all, scenario, GPU_0, 3)
    assert readings["energy"] is None
    assert readings["power"] == 350.5
    assert missing == (f"NVIDIA H100 ({GPU_0}), energy counter: this device does not support it.",)


def test_a_counter_that_the_library_does_not_know_yet_is_none_with_the_reason(old_library):
    readings, missing = old_library.ask(read_all, ONE_GPU)
    assert readings["energy"] is None
    assert missing == (f"NVIDIA H100 ({GPU_0}), energy counter: this driver is too old to know it.",)


def test_no_permission_is_none_with_the_reason(stand_in):
    readings, missing = stand_in.ask(read_all, {**ONE_GPU, "gpu.0.power": "error:4", "gpu.0.used": "error:4"})
    assert (readings["power"], readings["used_bytes"]) == (None, None)
    assert missing == (
        f"NVIDIA H100 ({GPU_0}), memory: no permission to read it.",
        f"NVIDIA H100 ({GPU_0}), power: no permission to read it.",
    )


def test_an_error_without_words_of_ours_is_told_in_nvmls(stand_in):
    _, missing = stand_in.ask(read_all, {**ONE_GPU, "gpu.0.power": "error:19"})
    assert missing == (f"NVIDIA H100 ({GPU_0}), power: NVML says: stand-in error 19.",)


def read_power_before_and_after_an_error():
    with Nvml() as nvml:
        (gpu,) = all_gpus(nvml)
        change_scenario({**ONE_GPU, "gpu.0.power": "error:10"})
        during = gpu.power()
        change_scenario(ONE_GPU)
        return during, gpu.power(), len(nvml.missing)


def test_a_passing_error_loses_one_reading_and_no_more(stand_in):
    assert stand_in.ask(read_power_before_and_after_an_error, ONE_GPU) == (None, 350.5, 1)


def read_power_after_a_refusal():
    with Nvml() as nvml:
        (gpu,) = all_gpus(nvml)
        refused = gpu.power()
        change_scenario(ONE_GPU)
        return refused, gpu.power()


def test_what_was_refused_for_good_is_not_asked_again_by_every_look_of_a_sampler(stand_in):
    assert stand_in.ask(read_power_after_a_refusal, {**ONE_GPU, "gpu.0.power": "error:4"}) == (None, None)


def test_a_missing_library_is_a_reason_and_no_error(no_library):
    available, gpus, device, missing = no_library.ask(nothing, {})
    assert (available, gpus, device) == (False, (), None)
    (reason,) = missing
    assert reason.startswith("NVML: libnvidia-ml.so.1 was not found: no NVIDIA driver is installed here")


def test_a_driver_that_is_not_loaded_is_a_reason_and_no_error(stand_in):
    assert stand_in.ask(nothing, {"init": "error:9"}) == (False, (), None, ("NVML: the NVIDIA driver is not loaded.",))


def test_gpus_and_their_slices_are_listed_without_free_places(stand_in):
    assert stand_in.ask(uuids, SLICED) == [(GPU_0, []), (GPU_1, [SLICE_0, SLICE_2])]


def test_a_gpu_with_slices_that_are_switched_off_has_none(stand_in):
    assert stand_in.ask(uuids, {**SLICED, "gpu.1.mig": 0}) == [(GPU_0, []), (GPU_1, [])]


def test_a_device_is_found_by_its_uuid_with_and_without_prefix(stand_in):
    for uuid in (GPU_1, GPU_1.removeprefix("GPU-"), GPU_1.upper().replace("GPU-", "")):
        readings, _ = stand_in.ask(read_all, {**TWO_GPUS, "gpu.1.used": 5}, uuid)
        assert readings["used_bytes"] == 5


def test_a_slice_has_its_own_memory_and_the_clocks_of_its_gpu_but_no_power_or_energy(stand_in):
    readings, missing = stand_in.ask(read_all, {**SLICED, "gpu.1.sm_clock": 1234}, SLICE_2)
    assert readings["used_bytes"] == (1 << 30) + 2
    assert readings["sm_clock"] == 1234e6
    assert (readings["power"], readings["energy"], readings["utilisation"]) == (None, None, None)
    shared = "a MIG slice has none of its own, and that of its GPU counts the other slices too."
    title = f"NVIDIA H100 MIG 1g.10gb ({SLICE_2})"
    assert missing == (
        f"{title}, utilisation: this device does not support it.",
        f"{title}, power: {shared}",
        f"{title}, energy counter: {shared}",
    )


def test_a_uuid_that_nvml_does_not_know_is_none_with_what_it_knows(stand_in):
    readings, missing = stand_in.ask(read_all, ONE_GPU, "ffff")
    assert readings is None
    assert missing == (f"device ffff: NVML knows {GPU_0} and their slices.",)


def test_what_asks_is_the_stand_in_and_no_driver_of_this_machine(stand_in):
    assert stand_in.ask(os.getpid, ONE_GPU) != os.getpid()
    assert stand_in.ask(uuids, {**ONE_GPU, "gpu.0.uuid": "GPU-made-up"}) == [("GPU-made-up", [])]
