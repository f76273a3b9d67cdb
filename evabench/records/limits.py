"""What the system lets a run have of the machine. Runs that are paired must share it."""

from dataclasses import dataclass

from evabench.records.device import RunDevice
from evabench.settings.strict import Strict
from evabench.units import Bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits(Strict):
    """The affinity, and the tightest of the control groups that the run is in."""

    usable_cpus: int
    affinity: str | None  # the usable CPUs by number, "0-3,8"; None: a run from before it was read
    cpus: float | None  # of processor time at once, by control groups; None: no limit
    memory_bytes: Bytes | None  # by control groups; None: no limit
    device: RunDevice | None = None  # that it trained on; None: a CPU
