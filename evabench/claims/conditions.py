"""How the conditions of some runs differ from those of a claim."""

from collections.abc import Iterable

from evabench.findings.arm import MeasuredArm
from evabench.records.host import Host
from evabench.settings.choices import Precision
from evabench.settings.claims import Claim, ClaimedWorkload
from evabench.settings.methods import method_of
from evabench.settings.workloads import WorkloadSettings


def claimed_workload(claim: Claim, workload: WorkloadSettings) -> ClaimedWorkload | None:
    """Return the workload of the claim that this one is: the same model on the same data."""
    for named in claim.conditions:
        if (named.model, named.data) == (workload.title, workload.data):
            return named
    return None


def place_differences(claim: Claim, host: Host, device: str, workload: WorkloadSettings) -> tuple[str, ...]:
    """Return how device, model, data, batch and precision differ: one text each, "batch: 512 in the claim, 250 here".

    Where a workload is none of the claim's, its batch is compared with those of all the claim's workloads.
    """
    found = list(_device_difference(claim, host, device))
    if claim.conditions and claimed_workload(claim, workload) is None:
        theirs = ", ".join(f"{one.model} on {one.data}" for one in claim.conditions)
        found.append(f"workload: {theirs} in the claim, {workload.title} on {workload.data} here")
    compared = _compared(claim, workload)
    found += _number_difference("batch", [one.batch for one in compared], workload.batch)
    return (*found, *_precision_difference({one.precision for one in compared} - {None}, workload.precision))


def differences(claim: Claim, host: Host, arm: MeasuredArm, base: MeasuredArm) -> tuple[str, ...]:
    """Return all differences, the training budgets included; empty under the claim's own conditions."""
    compared = _compared(claim, arm.workload)
    return (
        *place_differences(claim, host, arm.device, arm.workload),
        *_number_difference(f"epochs of {arm.name}", [one.arm_epochs for one in compared], arm.epochs),
        *_number_difference(f"epochs of {base.name}", [one.base_epochs for one in compared], base.epochs),
    )


def claimed_epochs(claim: Claim, arm: MeasuredArm) -> tuple[float, ...]:
    """Return the budgets, in passes, that the claim names for this arm's part on this very workload."""
    named = claimed_workload(claim, arm.workload)
    if named is None:
        return ()
    speaks = claim.is_arm(arm.name, method_of(arm.optimizer))
    stated = named.arm_epochs if speaks else named.base_epochs
    return () if stated is None else (stated,)


def _compared(claim: Claim, workload: WorkloadSettings) -> tuple[ClaimedWorkload, ...]:
    named = claimed_workload(claim, workload)
    return claim.conditions if named is None else (named,)


def _device_difference(claim: Claim, host: Host, device: str) -> Iterable[str]:
    """Yield the difference between what a claim is about and what the runs trained on, whatever else the host has."""
    if claim.device == "gpu" and device == "cpu":
        yield f"hardware: GPUs in the claim, a CPU here ({host.cpu})"
    if claim.device == "cpu" and device != "cpu":
        gpus = f" ({', '.join(host.gpus)})" if host.gpus else ""
        yield f"hardware: a CPU in the claim, a device of kind {device} here{gpus}"


def _precision_difference(claimed: set[Precision | None], here: str) -> Iterable[str]:
    if claimed and here not in claimed:
        yield f"precision: {' or '.join(sorted(map(str, claimed)))} in the claim, {here} here"


def _number_difference(what: str, claimed: Iterable[float | None], here: float | None) -> Iterable[str]:
    said = sorted({number for number in claimed if number is not None})
    if not said or here is None or any(abs(number - here) < 0.01 * number for number in said):
        return
    yield f"{what}: {' or '.join(f'{number:g}' for number in said)} in the claim, {here:.4g} here"
