"""Memory of this process, as Linux tells it."""

from pathlib import Path

from evabench.units import Bytes


def rss_high_water_bytes() -> Bytes | None:
    """Return the most resident memory this process ever had (VmHWM), None where Linux does not say."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None
