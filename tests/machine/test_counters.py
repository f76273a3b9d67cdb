"""Linux's counters, on a tree of files: exact numbers, None where this system does not count."""

import os

from evabench.machine import counters
from evabench.machine.counters import CpuTimes
from tests.runner.machine import machine

PAGE = os.sysconf("SC_PAGE_SIZE")


def test_busy_is_neither_idle_nor_waiting_nor_stolen_and_guests_count_once(tmp_path):
    root = machine(tmp_path, {"proc/stat": "cpu  10 20 30 400 5 6 7 8 9 9\ncpu0 1 1 1 1 1 1 1 1\n"})
    assert counters.cpu_times(root) == CpuTimes(busy=73, steal=8, total=486)


def test_a_kernel_without_steal_has_none_rather_than_0(tmp_path):
    root = machine(tmp_path, {"proc/stat": "cpu  10 20 30 400\n"})
    assert counters.cpu_times(root) == CpuTimes(busy=60, steal=None, total=460)


def test_swapping_is_pages_in_and_out(tmp_path):
    root = machine(tmp_path, {"proc/vmstat": "pgpgin 9\npswpin 3\npswpout 4\n"})
    assert counters.swapped_bytes(root) == 7 * PAGE


def test_thermal_events_are_added_over_cores_and_packages(tmp_path):
    cpu = "sys/devices/system/cpu/cpu{}/thermal_throttle/{}_throttle_count"
    files = {
        cpu.format(index, kind): f"{count}\n"
        for index, kind, count in ((0, "core", 2), (0, "package", 3), (1, "core", 4))
    }
    assert counters.thermal_events(machine(tmp_path, files)) == 9


def test_the_clock_is_the_mean_over_the_cpus(tmp_path):
    clock = "sys/devices/system/cpu/cpu{}/cpufreq/scaling_cur_freq"
    root = machine(tmp_path, {clock.format(0): "2000000\n", clock.format(1): "3000000\n"})
    assert counters.cpu_clock(root) == 2.5e9


def test_a_system_that_counts_nothing_has_none_everywhere(tmp_path):
    for read in (
        counters.cpu_times,
        counters.swapped_bytes,
        counters.thermal_events,
        counters.cpu_clock,
    ):
        assert read(tmp_path) is None
