"""What Linux counts about the machine, each figure or None where this system does not count it.

`root` is where the system's files are: "/" but in tests.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from evabench.units import Bytes, Hertz


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuTimes:
    """Since the machine started, over all CPUs, in ticks."""

    busy: int  # with programs and the kernel, ours and others'
    steal: int | None  # None: the kernel does not count it
    total: int


def cpu_times(root: Path) -> CpuTimes | None:
    """Return user, nice, system, idle, iowait, irq, softirq and steal of /proc/stat; guest is in user already."""
    words = (_text(root / "proc/stat") or "").split()[1:9]
    if len(words) < 4:
        return None
    ticks = [int(word) for word in words]
    steal = ticks[7] if len(ticks) == 8 else None
    return CpuTimes(busy=sum(ticks) - sum(ticks[3:5]) - (steal or 0), steal=steal, total=sum(ticks))


def swapped_bytes(root: Path) -> Bytes | None:
    """Return what was read from and written to swap since the machine started."""
    pages = [
        int(line.split()[1])
        for line in (_text(root / "proc/vmstat") or "").splitlines()
        if line.split()[0] in ("pswpin", "pswpout")
    ]
    return sum(pages) * os.sysconf("SC_PAGE_SIZE") if len(pages) == 2 else None


def thermal_events(root: Path) -> int | None:
    """Return how often heat brought a clock down, as each CPU counts it for its core and its package."""
    counts = [_text(path) for path in root.glob("sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/*_throttle_count")]
    known = [int(count) for count in counts if count is not None]
    return sum(known) if known else None


def cpu_clock(root: Path) -> Hertz | None:
    """Return the mean clock of the CPUs now."""
    kilohertz = [_text(path) for path in root.glob("sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq")]
    known = [int(clock) * 1e3 for clock in kilohertz if clock is not None]
    return fmean(known) if known else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text()
    except OSError:
        return None
