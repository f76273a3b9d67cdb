"""The control groups that this process is in, of version 1 and 2, and what they allow and count.

`root` is where the system's files are: "/" but in tests. A limit is the tightest along the path: that of a group above
binds as well.
"""

from collections.abc import Iterator
from pathlib import Path

from evabench.units import Bytes, Seconds

_NO_LIMIT_V1 = 2**60  # version 1 has a number for "none": all that fits into 64 bits, in whole pages


def cpu_limit(root: Path) -> float | None:
    """Return how many CPUs' time may be used at once, None where nothing limits it."""
    found: list[float] = []
    for group in _groups(root, "cpu"):
        v1 = [_word(group / "cpu.cfs_quota_us"), _word(group / "cpu.cfs_period_us")]
        quota, period, *_ = [*_words(group / "cpu.max"), *v1]
        if _is_number(quota) and _is_number(period) and int(quota) > 0 and int(period) > 0:
            found.append(int(quota) / int(period))
    return min(found, default=None)


def memory_limit(root: Path) -> Bytes | None:
    """Return how much memory may be used, None where nothing limits it."""
    words = [
        _word(group / name) for group in _groups(root, "memory") for name in ("memory.max", "memory.limit_in_bytes")
    ]
    return min((int(word) for word in words if _is_number(word) and int(word) < _NO_LIMIT_V1), default=None)


def throttled_seconds(root: Path) -> Seconds | None:
    """Return how long CPU limits stopped our control group or one above it; None where no group counts it."""
    found = [seconds for group in _groups(root, "cpu") if (seconds := _throttled(group / "cpu.stat")) is not None]
    return sum(found) if found else None


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of our control group and of those above it, of version 2 and of a controller of version 1."""
    mount = root / "sys/fs/cgroup"
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        top = mount / controllers if controllers else mount
        if controllers and not top.is_dir():
            top = mount / controller
        group = top / path.lstrip("/")
        # In a container the path may be the host's, which is not there: what is mounted begins at our group.
        while group != top:
            yield group
            group = group.parent
        yield top


def _throttled(stat: Path) -> Seconds | None:
    for line in _text(stat).splitlines():
        name, _, value = line.partition(" ")
        if name == "throttled_usec":
            return int(value) / 1e6
        if name == "throttled_time":  # version 1, in nanoseconds
            return int(value) / 1e9
    return None


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit()


def _word(path: Path) -> str:
    return (_words(path) or [""])[0]


def _words(path: Path) -> list[str]:
    return _text(path).split()


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
