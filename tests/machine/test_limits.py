"""What the system lets a run have, on a tree of files: the tightest limit along the path, of both versions."""

import pytest

from evabench.machine.control_groups import cpu_limit, memory_limit, throttled_seconds
from evabench.machine.limits import read_limits
from tests.runner.machine import machine

GROUP_V2 = {"proc/self/cgroup": "0::/slice/job\n"}
GROUP_V1 = {"proc/self/cgroup": "4:memory:/job\n3:cpu,cpuacct:/job\n1:name=systemd:/x\n0::/\n"}
V1_CPU, V1_MEMORY = "sys/fs/cgroup/cpu,cpuacct/", "sys/fs/cgroup/memory/"


@pytest.mark.parametrize(
    ("files", "cpus"),
    [
        ({}, None),
        (GROUP_V2 | {"sys/fs/cgroup/slice/job/cpu.max": "max 100000\n"}, None),
        (GROUP_V2 | {"sys/fs/cgroup/slice/job/cpu.max": "150000 100000\n"}, 1.5),
        (
            GROUP_V2
            | {
                "sys/fs/cgroup/slice/job/cpu.max": "200000 100000\n",
                "sys/fs/cgroup/slice/cpu.max": "50000 100000\n",
                "sys/fs/cgroup/slice/other/cpu.max": "1000 100000\n",
            },
            0.5,
        ),
        ({"proc/self/cgroup": "0::/the/hosts/path\n", "sys/fs/cgroup/cpu.max": "25000 50000\n"}, 0.5),
        (GROUP_V1 | {f"{V1_CPU}job/cpu.cfs_quota_us": "50000", f"{V1_CPU}job/cpu.cfs_period_us": "100000"}, 0.5),
        (GROUP_V1 | {f"{V1_CPU}job/cpu.cfs_quota_us": "-1", f"{V1_CPU}job/cpu.cfs_period_us": "100000"}, None),
        (
            {"proc/self/cgroup": "3:cpu,cpuacct:/\n"}
            | {"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "300000", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"},
            3.0,
        ),
    ],
)
def test_the_limit_of_cpus_is_the_tightest_along_the_path(tmp_path, files, cpus):
    assert cpu_limit(machine(tmp_path, files)) == cpus


@pytest.mark.parametrize(
    ("files", "size"),
    [
        ({}, None),
        (GROUP_V2 | {"sys/fs/cgroup/slice/job/memory.max": "max\n"}, None),
        (
            GROUP_V2
            | {"sys/fs/cgroup/slice/job/memory.max": "max\n", "sys/fs/cgroup/slice/memory.max": "1073741824\n"},
            2**30,
        ),
        (GROUP_V1 | {f"{V1_MEMORY}job/memory.limit_in_bytes": "9223372036854771712\n"}, None),
        (
            GROUP_V1
            | {
                f"{V1_MEMORY}job/memory.limit_in_bytes": "2147483648\n",
                f"{V1_MEMORY}memory.limit_in_bytes": "9223372036854771712\n",
            },
            2**31,
        ),
    ],
)
def test_the_limit_of_memory_is_the_tightest_along_the_path(tmp_path, files, size):
    assert memory_limit(machine(tmp_path, files)) == size


@pytest.mark.parametrize(
    ("usable", "affinity"), [({0}, "0"), ({0, 1}, "0-1"), ({0, 1, 2, 3, 8}, "0-3,8"), ({1, 3, 5, 6}, "1,3,5-6")]
)
def test_the_affinity_names_the_usable_cpus(tmp_path, usable, affinity):
    limits = read_limits(tmp_path, usable)
    assert (limits.affinity, limits.usable_cpus) == (affinity, len(usable))


V2 = "nr_periods 10\nnr_throttled 3\nthrottled_usec {}\n"


@pytest.mark.parametrize(
    ("files", "seconds"),
    [
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.stat": V2.format(2_500_000)}, 2.5),
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/b/cpu.stat": V2.format(1_000_000),
                "sys/fs/cgroup/a/cpu.stat": V2.format(2_000_000),
                "sys/fs/cgroup/other/cpu.stat": V2.format(64_000_000),
            },
            3.0,
        ),
        ({"proc/self/cgroup": "0::/host/path\n", "sys/fs/cgroup/cpu.stat": V2.format(500_000)}, 0.5),
        (
            {
                "proc/self/cgroup": "2:memory:/a\n1:cpu,cpuacct:/a\n0::/\n",
                "sys/fs/cgroup/cpu,cpuacct/a/cpu.stat": "nr_throttled 1\nthrottled_time 1500000000\n",
            },
            1.5,
        ),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.stat": "usage_usec 5\n"}, None),
    ],
)
def test_time_stopped_by_cpu_limits_is_that_of_our_group_and_of_those_above(tmp_path, files, seconds):
    assert throttled_seconds(machine(tmp_path, files)) == seconds


def test_a_system_without_control_groups_does_not_count(tmp_path):
    assert throttled_seconds(tmp_path) is None
