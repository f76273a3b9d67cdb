"""Who uses a device: each process once, our own also where its number is another."""

import pytest

from evabench.nvml.devices import device_of_uuid
from evabench.nvml.library import Nvml
from evabench.nvml.processes import DeviceProcess, OwnPids, own_bytes, processes_of, read_own_pids
from tests.nvml.stand_in import GPU_0, ONE_GPU, SLICE_0, SLICED

OURS = OwnPids(pids=frozenset({100}), reason=None)


def read_processes(uuid=GPU_0, own=OURS):
    with Nvml() as nvml:
        device = device_of_uuid(nvml, uuid)
        processes = processes_of(device)
        mine = None if processes is None else own_bytes(device, own, processes)
        return processes, mine, nvml.missing


def listed(*entries):
    return tuple(DeviceProcess(pid=pid, used_bytes=used) for pid, used in entries)


def proc_tree(folder, *, namespace, numbers):
    (folder / "self" / "ns").mkdir(parents=True)
    (folder / "self" / "ns" / "pid").symlink_to(f"pid:[{namespace}]")
    (folder / "self" / "status").write_text(f"Name:\tpython\nNSpid:\t{numbers}\nVmHWM:\t1 kB\n")
    return folder


def test_our_process_and_a_foreign_one_are_told_apart(stand_in):
    scenario = {**ONE_GPU, "gpu.0.compute": "100:2048,200:4096"}
    assert stand_in.ask(read_processes, scenario) == (listed((100, 2048), (200, 4096)), 2048, ())


def test_a_process_that_computes_and_draws_is_one_process_with_the_larger_figure(stand_in):
    scenario = {**ONE_GPU, "gpu.0.compute": "100:2048", "gpu.0.graphics": "100:2050,300:7", "gpu.0.mps": "300:none"}
    processes, mine, _ = stand_in.ask(read_processes, scenario)
    assert processes == listed((100, 2050), (300, 7))
    assert mine == 2050


def test_a_process_without_a_figure_is_listed_and_its_memory_is_none_with_the_reason(stand_in):
    processes, mine, missing = stand_in.ask(read_processes, {**ONE_GPU, "gpu.0.compute": "100:none"})
    assert processes == listed((100, None))
    assert mine is None
    assert missing == (
        f"NVIDIA H100 ({GPU_0}), memory of this process: the driver lists the process without its memory.",
    )


def test_where_the_lists_may_not_be_read_there_are_no_processes_rather_than_none_of_them(stand_in):
    processes, mine, missing = stand_in.ask(read_processes, {**ONE_GPU, "gpu.0.compute": "error:4"})
    assert (processes, mine) == (None, None)
    assert missing == (f"NVIDIA H100 ({GPU_0}), compute processes: no permission to read it.",)


def test_an_idle_device_has_no_processes_and_ours_holds_no_memory_that_could_be_told(stand_in):
    assert stand_in.ask(read_processes, ONE_GPU) == ((), None, ())


def test_a_slice_lists_its_own_processes(stand_in):
    scenario = {**SLICED, "gpu.1.slice.0.compute": "100:64", "gpu.1.slice.2.compute": "200:128"}
    assert stand_in.ask(read_processes, scenario, SLICE_0) == (listed((100, 64)), 64, ())


def test_many_processes_are_all_listed(stand_in):
    scenario = {**ONE_GPU, "gpu.0.compute": ",".join(f"{pid}:{pid}" for pid in range(1, 40))}
    processes, _, _ = stand_in.ask(read_processes, scenario)
    assert processes == listed(*((pid, pid) for pid in range(1, 40)))


def test_on_the_host_our_number_is_our_number(tmp_path):
    own = read_own_pids(proc=proc_tree(tmp_path, namespace=4026531836, numbers="100"))
    assert own == OwnPids(pids=frozenset({100}), reason=None)


def test_in_a_container_that_sees_the_hosts_processes_both_numbers_are_ours(tmp_path):
    own = read_own_pids(proc=proc_tree(tmp_path, namespace=4026532999, numbers="31337\t7"))
    assert own == OwnPids(pids=frozenset({31337, 7}), reason=None)


@pytest.mark.parametrize("foreign", ["7:2048", "31337:2048"])
def test_in_a_container_our_number_inside_is_never_taken_for_the_hosts(stand_in, tmp_path, foreign):
    own = read_own_pids(proc=proc_tree(tmp_path, namespace=4026532999, numbers="7"))
    processes, mine, (reason,) = stand_in.ask(read_processes, {**ONE_GPU, "gpu.0.compute": foreign}, GPU_0, own)
    assert len(processes) == 1
    assert mine is None
    assert reason.endswith("start the container with --pid=host.")


def test_without_a_proc_file_system_our_numbers_are_unknown_with_the_reason(tmp_path):
    own = read_own_pids(proc=tmp_path)
    assert own.pids == frozenset()
    assert "cannot be read: No such file or directory" in own.reason
