"""Conditions of a run: differences of counters on a tree of files, GPUs on the stand-in for NVML."""

import os

import pytest

from evabench.machine.conditions import MachineWatcher
from evabench.machine.gpus import GpuWatch, own_tree_pids
from evabench.nvml.devices import all_gpus
from evabench.nvml.library import Nvml
from evabench.nvml.processes import OwnPids
from tests.nvml.stand_in import GPU_0, ONE_GPU, change_scenario
from tests.runner.machine import machine

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
CLOCK = "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq"
HEAT = "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count"
BEFORE = {
    "proc/stat": "cpu  100 0 0 1000 0 0 0 10\n",
    "proc/vmstat": "pswpin 1\npswpout 1\n",
    "proc/self/cgroup": "0::/\n",
    "sys/fs/cgroup/cpu.stat": "throttled_usec 0\n",
    HEAT: "5\n",
    CLOCK: "3000000\n",
}
AFTER = {
    "proc/stat": "cpu  180 0 0 1100 0 0 0 30\n",
    "proc/vmstat": "pswpin 3\npswpout 2\n",
    "sys/fs/cgroup/cpu.stat": "throttled_usec 250000\n",
    HEAT: "7\n",
    CLOCK: "1500000\n",
}


def watch_a_run(root, before, after, *, jobs=1, own=0.6):
    """Watch a run of 10 s in which evabench itself used `own` seconds of CPU time."""
    now, spent = [0.0], [0.0]
    machine(root, before)
    watcher = MachineWatcher(
        root=root, environment={}, own_seconds=lambda: spent[0], now=lambda: now[0], period_seconds=3600.0
    )
    watch = watcher.begin(jobs=jobs)
    machine(root, after)
    now[0], spent[0] = 10.0, own
    return watch.end(threads=1)


def test_every_figure_is_the_difference_over_the_run(no_library, tmp_path):
    seen = no_library.ask(watch_a_run, {}, tmp_path, BEFORE, AFTER)
    assert seen.seconds == 10.0
    assert seen.steal_share == pytest.approx(20 / 200)
    assert seen.foreign_cpu_share == pytest.approx((80 - 0.6 * TICKS) / 200)
    assert seen.swapped_bytes == 3 * PAGE
    assert seen.throttled_seconds == pytest.approx(0.25)
    assert seen.thermal_events == 2
    assert (seen.lowest_cpu_clock, seen.highest_cpu_clock) == (1.5e9, 3e9)
    assert seen.sampling.num_samples == 2


def test_what_we_used_ourselves_is_not_foreign_and_rounding_makes_it_no_less_than_0(no_library, tmp_path):
    assert no_library.ask(watch_a_run, {}, tmp_path, BEFORE, AFTER).foreign_cpu_share > 0
    seen = no_library.ask(watch_with_own, {}, tmp_path, 0.9)
    assert seen.foreign_cpu_share == 0.0


def watch_with_own(root, own):
    return watch_a_run(root, BEFORE, AFTER, own=own)


def watch_among_others(root):
    return watch_a_run(root, BEFORE, AFTER, jobs=2)


def test_what_is_foreign_cannot_be_told_among_several_runs_at_once(no_library, tmp_path):
    assert no_library.ask(watch_among_others, {}, tmp_path).foreign_cpu_share is None


def test_a_machine_that_counts_nothing_gives_none_with_the_reasons_and_starts_no_thread(no_library, tmp_path):
    seen = no_library.ask(watch_a_run, {}, tmp_path, {}, {})
    figures = (seen.steal_share, seen.foreign_cpu_share, seen.swapped_bytes, seen.throttled_seconds)
    assert figures == (None,) * 4
    assert (seen.thermal_events, seen.lowest_cpu_clock, seen.gpus, seen.sampling) == (None, None, None, None)
    assert len(seen.missing) == 6
    assert seen.missing[-1].startswith("NVML: libnvidia-ml.so.1 was not found")


def gpu_of_a_run(before, during, after):
    """A child of number 100 runs; `own` is known as on the host."""
    change_scenario(before)
    with Nvml() as nvml:
        watch = GpuWatch(all_gpus(nvml)[0], alone=True, own=lambda: OwnPids(pids=frozenset({100}), reason=None))
        return _look(watch, before, during, after), nvml.missing


def gpu_in_a_container(before, during, after, alone=True):
    change_scenario(before)
    unknown = OwnPids(pids=frozenset(), reason="it is a container")
    with Nvml() as nvml:
        watch = GpuWatch(all_gpus(nvml)[0], alone=alone, own=lambda: unknown)
        return _look(watch, before, during, after), nvml.missing


def _look(watch, before, during, after):
    for scenario in (before, during):
        change_scenario(scenario)
        watch.look()
    change_scenario(after)
    watch.expect_no_child()
    watch.look()
    return watch.conditions()


def on_it(processes, **changes):
    return {**ONE_GPU, "gpu.0.compute": processes, **{f"gpu.0.{key}": value for key, value in changes.items()}}


def test_our_child_is_not_foreign_and_a_passer_by_is(stand_in):
    seen, missing = stand_in.ask(gpu_of_a_run, ONE_GPU, on_it(""), on_it("100:5,200:5"), on_it(""))
    assert seen.foreign_processes == 1
    assert seen.uuid == GPU_0
    assert missing == ()


def test_an_undisturbed_gpu_had_0_foreign_processes(stand_in):
    seen, _ = stand_in.ask(gpu_of_a_run, ONE_GPU, on_it(""), on_it("100:5"), on_it(""))
    assert seen.foreign_processes == 0


def test_clocks_and_their_limits_are_those_of_the_whole_run(stand_in):
    seen, _ = stand_in.ask(
        gpu_of_a_run,
        ONE_GPU,
        on_it("", sm_clock=1980),
        on_it("", sm_clock=900, clock_limits=0x40),
        on_it("", sm_clock=1755, clock_limits=0x4),
    )
    assert (seen.lowest_sm_clock, seen.highest_sm_clock, seen.max_sm_clock) == (900e6, 1980e6, 1980e6)
    assert seen.clock_limits == ("hardware thermal slowdown", "power limit")


def test_in_a_container_who_was_there_before_the_child_is_foreign(stand_in):
    seen, (reason,) = stand_in.ask(gpu_in_a_container, ONE_GPU, on_it("7:1"), on_it("7:1,100:5"), on_it("7:1"))
    assert seen.foreign_processes == 1
    assert reason.endswith("processes that came and went during the run: it is a container.")


def test_in_a_container_who_comes_with_the_child_and_stays_is_foreign(stand_in):
    seen, _ = stand_in.ask(gpu_in_a_container, ONE_GPU, on_it(""), on_it("7:1,100:5"), on_it("7:1"))
    assert seen.foreign_processes == 1


def test_in_a_container_our_child_alone_is_not_foreign(stand_in):
    seen, _ = stand_in.ask(gpu_in_a_container, ONE_GPU, on_it(""), on_it("100:5"), on_it(""))
    assert seen.foreign_processes == 0


def test_in_a_container_nothing_can_be_told_among_several_runs_at_once(stand_in):
    seen, _ = stand_in.ask(gpu_in_a_container, ONE_GPU, on_it(""), on_it("100:5"), on_it(""), False)
    assert seen.foreign_processes is None


def test_processes_that_may_not_be_listed_are_none_and_not_0(stand_in):
    seen, missing = stand_in.ask(gpu_of_a_run, ONE_GPU, *[on_it("error:4")] * 3)
    assert seen.foreign_processes is None
    assert missing == (f"NVIDIA H100 ({GPU_0}), compute processes: no permission to read it.",)


def watch_two_gpus_of_which_one_is_visible(root):
    scenario = {**ONE_GPU, "count": 2}
    scenario |= {key.replace("gpu.0", "gpu.1"): value for key, value in ONE_GPU.items() if key.startswith("gpu.0")}
    change_scenario({**scenario, "gpu.1.uuid": "GPU-b"})
    watcher = MachineWatcher(root=root, environment={"CUDA_VISIBLE_DEVICES": "1"}, period_seconds=3600.0)
    return watcher.begin(jobs=1).end(threads=1)


def test_only_gpus_that_the_child_sees_are_watched(stand_in, tmp_path):
    seen = stand_in.ask(watch_two_gpus_of_which_one_is_visible, ONE_GPU, tmp_path)
    assert [gpu.uuid for gpu in seen.gpus] == ["GPU-b"]
    assert seen.sampling.num_samples == 2


def test_our_numbers_are_those_of_the_whole_tree():
    own = own_tree_pids()
    assert own.reason is not None or os.getpid() in own.pids
