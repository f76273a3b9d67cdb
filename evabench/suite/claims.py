"""What is wrong with the claims of a suite: names that it does not have, and what nothing in it measures."""

from collections import Counter
from collections.abc import Iterator, Mapping

from evabench.settings.claims import TO_TARGET, Claim, Quantity
from evabench.suite.suite import Suite

# The kinds of measurement that a quantity needs.
NEEDED_KINDS: Mapping[Quantity, tuple[str, ...]] = {
    "time_to_target_ratio": ("convergence", "step_time"),
    "steps_to_target_ratio": ("convergence",),
    "step_time_ratio": ("step_time",),
    "tensor_peak_ratio": ("memory",),
    "validation_loss_ratio": ("convergence",),
    "validation_loss_difference": ("convergence",),
    "validation_accuracy_difference": ("convergence",),
    "curvature_growth": ("memory",),
    "curvature_bytes_ratio": ("memory",),
    "work_growth": ("counts",),
    "cost_exponent": ("step_time",),
}


def check_claims(suite: Suite) -> list[str]:
    """Return the mistakes of a suite's own claims, which speak of its arms and workloads by name."""
    mistakes = []
    for name, times in Counter(claim.id for claim in suite.claims).items():
        if times > 1:
            mistakes.append(f'[claims]: the id "{name}" is given {times} times')
    headlines = [claim.id for claim in suite.claims if claim.headline]
    if len(headlines) > 1:
        mistakes.append(f"[claims]: one claim may be the headline, and {len(headlines)} are: {', '.join(headlines)}")
    sizes = (suite, *map(suite.at, suite.tiers))
    for claim in suite.claims:
        mistakes += [f'[claims] "{claim.id}": {problem}' for problem in _problems(claim, suite, sizes)]
    return mistakes


def _problems(claim: Claim, suite: Suite, sizes: tuple[Suite, ...]) -> Iterator[str]:
    if claim.local:
        yield "has no setting local: where a claim stands says it"
    for key, names, known in (
        ("arm", (claim.arm,), suite.arms),
        ("bases", claim.bases, suite.arms),
        ("workloads", claim.workloads, suite.workloads),
    ):
        yield from (f'{key}: "{name}" is none of {", ".join(known)}' for name in names if name not in known)
    if claim.conditions:
        yield "conditions are those of a claim file. A suite's claim has workloads of the suite, and is judged on them"
    needed = NEEDED_KINDS[claim.quantity]
    if not any(all(kind in size.tables for kind in needed) for size in sizes):
        yield f"nothing here measures a {claim.quantity}: it needs {' and '.join(f'[{kind}]' for kind in needed)}"
    elif claim.quantity in TO_TARGET:
        yield from _without_target(claim, suite, sizes)


def _without_target(claim: Claim, suite: Suite, sizes: tuple[Suite, ...]) -> Iterator[str]:
    """Yield the workloads of which no size of the suite has a target."""
    targets = {name for size in sizes if size.convergence for name in size.convergence.targets}
    for name in claim.workloads:
        if name in suite.workloads and name not in targets:
            yield f'"{name}" has no target: give it one in [convergence.targets."{name}"]'
    if not targets:
        yield "no workload has a target: give one in [convergence.targets]"
