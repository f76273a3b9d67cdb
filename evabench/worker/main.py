"""The child: makes one run and returns what it measured, or why it could not."""

import random
import sys
import traceback
from dataclasses import replace

import torch

from evabench.errors import (
    DataError,
    DeviceError,
    DivergedError,
    EvabenchError,
    OutputError,
    PluginChangedError,
    WorkloadError,
    printable,
)
from evabench.records.request import ChildReply, Request, lost
from evabench.records.run import Outcome
from evabench.worker.device import allocator_summary, describe, device_of, is_gone
from evabench.worker.measure import Finding, measure
from evabench.worker.place import place_of
from evabench.workloads.computed import set_switches

# torch's CPU allocator raises a plain RuntimeError.
_ALLOCATION_FAILURES = ("can't allocate memory", "not enough memory", "out of memory")


def perform(request: Request) -> ChildReply:
    """Make the run. Whatever goes wrong in it becomes an outcome; only a killed process cannot say so itself."""
    try:
        return _measured(request)
    except WorkloadError as error:
        traceback.print_exc()
        return _failed(_of_the_workload(error))
    except DivergedError as error:
        return _failed(Outcome(kind="diverged", reason=printable(str(error)), stderr_tail=""))
    except (PluginChangedError, DataError, OutputError, DeviceError) as error:  # no arm is to blame: it is made again
        return lost(printable(str(error)))
    except EvabenchError as error:
        return _failed(Outcome(kind="crashed", reason=printable(str(error)), stderr_tail=""))
    except Exception as error:
        traceback.print_exc()
        if is_gone(error):
            return lost(printable(f"its device is gone: {error}"[:300]))
        return _failed(_outcome_of(error))
    except BaseException as error:  # SystemExit, and whatever else ends a process in silence
        traceback.print_exc()
        reason = printable(f"the measured code raised {type(error).__name__}({error})"[:300])
        return _failed(Outcome(kind="crashed", reason=reason, stderr_tail=""))


def _measured(request: Request) -> ChildReply:
    torch.set_num_threads(request.cell.threads)
    flush = request.cell.subnormals == "flush"
    # Of this thread, and of those that it starts: torch has started none. False where the platform cannot.
    flushed = torch.set_flush_denormal(flush) and flush
    device = device_of(request)
    set_switches(request.cell.workload.precision, deterministic=request.cell.deterministic)
    torch.manual_seed(request.seed)  # of every device too
    random.seed(request.seed)
    try:
        finding = measure(request, device)
    except torch.OutOfMemoryError:
        sys.stderr.write(allocator_summary(device))
        raise
    return ChildReply(
        outcome=_outcome(finding, scaled=request.cell.workload.precision == "fp16"),
        measured=finding.measured,
        threads=torch.get_num_threads(),
        health=finding.health,
        preconditioned_share=finding.preconditioned_share,
        subnormals_flushed=flushed,
        setup_seconds=finding.setup_seconds,
        device=describe(device),
    )


def _failed(outcome: Outcome) -> ChildReply:
    return ChildReply(outcome=outcome, measured=None, threads=torch.get_num_threads())


def _outcome(finding: Finding, *, scaled: bool) -> Outcome:
    health, diverged = finding.health, finding.measured.divergence
    reasons = [] if diverged is None else [diverged]
    if health and health.skipped_steps and not scaled:  # a scaler finds its scale by steps that are skipped
        layers = ", ".join(f"{layer} ({count} times)" for layer, count in health.skipped_steps.items())
        reasons.append(f"steps were skipped because of gradients that were not finite: {layers}")
    if reasons:
        return Outcome(kind="diverged", reason=printable("; ".join(reasons)), stderr_tail="")
    return Outcome(kind="completed", reason=None, stderr_tail="")


def _of_the_workload(error: WorkloadError) -> Outcome:
    told = f"the workload is at fault, and no arm: {error}"
    if not isinstance(error.__cause__, Exception):
        return Outcome(kind="crashed", reason=told, stderr_tail="")
    cause = _outcome_of(error.__cause__)
    return replace(cause, reason=f"{told}: {cause.reason}")


def _outcome_of(error: Exception) -> Outcome:
    said, place = str(error).partition("\n")[0], place_of(error)
    summary = type(error).__name__ + (f": {said}" if said else "")
    summary = printable(summary[:300] + (f" ({place})" if place else ""))
    failed_allocation = any(words in str(error) for words in _ALLOCATION_FAILURES)
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or failed_allocation:
        return Outcome(kind="out_of_memory", reason=summary, stderr_tail="")
    return Outcome(kind="crashed", reason=summary, stderr_tail="")
