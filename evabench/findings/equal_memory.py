"""Equal conditions: state and temporaries that come late, and memory that is no state."""

from collections.abc import Callable, Sequence

from evabench.findings.arm import MeasuredArm
from evabench.findings.watched import Found, watched
from evabench.records.checks import TrainingChecks
from evabench.records.memory import Memory
from evabench.units import Bytes, format_bytes

_MAX_LATE_STATE = 0.01
_LEAST_LATE_BYTES = 1 << 12
# Code that is loaded late (compilers, their workers) takes up to this; hidden state of a net that matters takes more.
_MAX_HIDDEN_BYTES = 128 << 20
# Beside a device: its libraries put kernels into the memory of the host when they are first used. On an H100 SGD held
# 644 MiB there, Eva 874, Shampoo 1028.
_MAX_HIDDEN_BESIDE_DEVICE = 512 << 20


def unequal_memory(arm: MeasuredArm, usual: Sequence[MeasuredArm]) -> Found:
    """Yield state that comes late, and memory that is no state."""
    ends = [checks.state_bytes for _, checks in watched(arm)]
    counted = [record.state_bytes for record in arm.records_of(Memory)]
    if ends and counted:
        late = max(ends) - max(counted)
        if late > max(_MAX_LATE_STATE * max(counted), _LEAST_LATE_BYTES):
            finding = f"has {format_bytes(late)} more state at the end of training than where its memory was counted"
            yield "late state", "bytes", finding
    bound = _MAX_HIDDEN_BYTES if arm.device == "cpu" else _MAX_HIDDEN_BESIDE_DEVICE
    hidden = _more_than_usual(arm, usual, _beyond_state if arm.device == "cpu" else _of_the_host)
    if hidden is not None and hidden > bound:
        finding = f"holds {format_bytes(hidden)} at the end of training that is no state of its own"
        yield "hidden memory", "bytes", finding
    on_device = _more_than_usual(arm, usual, _on_the_device)
    if on_device is not None and on_device > _MAX_HIDDEN_BYTES:
        finding = f"holds {format_bytes(on_device)} on the device at the end of training that is no state of its own"
        yield "hidden memory", "bytes", finding
    rare = _rare_bytes(arm, usual)
    if rare is not None and rare > bound:
        finding = f"took {format_bytes(rare)} more at its peak in training than where its memory was counted"
        yield "rare memory", "bytes", finding


def _more_than_usual(
    arm: MeasuredArm, usual: Sequence[MeasuredArm], held: Callable[[TrainingChecks], Bytes | None]
) -> Bytes | None:
    """Return the least that the arm holds in its runs, less the most that built-in arms do."""
    own = [size for _, checks in watched(arm) if (size := held(checks)) is not None]
    others = [size for one in usual for _, checks in watched(one) if (size := held(checks)) is not None]
    return min(own) - max(others) if own and others else None


def _rare_bytes(arm: MeasuredArm, usual: Sequence[MeasuredArm]) -> Bytes | None:
    """Return what a process had at its peak beyond that of a run of kind memory, less what the built-in arms did."""
    own, others = _over_counted(arm), [size for one in usual if (size := _over_counted(one)) is not None]
    return own - max(others) if own is not None and others else None


def _over_counted(arm: MeasuredArm) -> Bytes | None:
    trained = [checks.high_water_bytes for _, checks in watched(arm) if checks.high_water_bytes is not None]
    counted = [one.rss_high_water_bytes for one in arm.records_of(Memory) if one.rss_high_water_bytes is not None]
    return min(trained) - max(counted) if trained and counted else None


def _beyond_state(checks: TrainingChecks) -> Bytes | None:
    """Return what the process, and those that it started, hold beyond the state."""
    held = _of_the_host(checks)
    return None if held is None else held - checks.state_bytes


def _of_the_host(checks: TrainingChecks) -> Bytes | None:
    """Return the same with the state, which lies on a device where there is one."""
    if checks.anonymous_bytes is None:
        return None
    children = checks.processes.private_bytes or 0 if checks.processes else 0
    return checks.anonymous_bytes + children


def _on_the_device(checks: TrainingChecks) -> Bytes | None:
    return None if checks.device_bytes is None else checks.device_bytes - checks.state_bytes
