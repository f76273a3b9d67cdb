"""What a suite asks of its own arms: the claims in its file, or each arm against the reference where it has none."""

from collections.abc import Iterator
from dataclasses import replace

from evabench.settings.claims import Claim, Quantity, Relation
from evabench.suite.suite import Suite


def declared_claims(suite: Suite) -> tuple[Claim, ...]:
    """Return the claims of the suite's file: they speak of its arms by name, and are judged here alone."""
    return tuple(replace(claim, local=True) for claim in suite.claims)


def pairwise_claims(suite: Suite) -> tuple[Claim, ...]:
    """Return what is asked of every arm against the reference, on each workload, where a suite claims nothing itself.

    Is it at least as good? Without a tolerance: whatever is worse may be refuted.
    """
    if suite.claims:
        return ()
    reference = suite.reference_arm
    workloads = [name for name, settings in suite.workloads.items() if not settings.stand_in]
    arms = [arm for arm in suite.arms if arm != reference]
    return tuple(claim for name in workloads for arm in arms for claim in _pair(suite, name, arm, reference))


def _pair(suite: Suite, workload: str, arm: str, reference: str) -> Iterator[Claim]:
    timed = "step_time" in suite.tables
    if timed:
        text = f"A step of {arm} costs no more than one of {reference}"
        yield _claim(workload, arm, reference, "step_time_ratio", "at_most", text)
    table = suite.convergence
    if table is None or {arm, reference} & set(table.without):
        return
    if timed and workload in table.targets:
        text = f"{arm} reaches the target no later than {reference}"
        yield _claim(workload, arm, reference, "time_to_target_ratio", "at_least", text)
    else:
        text = f"{arm} ends at no higher a loss than {reference}"
        yield _claim(workload, arm, reference, "validation_loss_ratio", "at_most", text)


def _claim(workload: str, arm: str, reference: str, quantity: Quantity, relation: Relation, text: str) -> Claim:
    return Claim(
        id=f"{arm} against {reference} on {workload}: {quantity}",
        text=f"{text} on {workload}.",
        quantity=quantity,
        arm=arm,
        bases=(reference,),
        workloads=(workload,),
        relation=relation,
        value=1.0,
        tolerance=0.0,
        reason="The suite claims nothing itself, so each arm is asked whether it is as good as the reference.",
        local=True,
    )
