"""How often an arm is within a factor of the best: a performance profile.

An instance is one problem that every arm had: a workload with a seed. An arm's ratio is its cost over the least cost of
the arms that are compared, so it changes with them. A miss is never within any factor.
Source: Dolan & More, "Benchmarking optimization software with performance profiles", Math. Program. 91 (2002).
"""

from collections.abc import Mapping, Sequence


def performance_profile(
    instances: Sequence[Mapping[str, float | None]], arms: Sequence[str]
) -> dict[str, tuple[tuple[float, float], ...]]:
    """Return by arm (factor, share of the instances within it), rising; an instance without an arm is not its own.

    Instances that all of these arms missed stay in the number of instances: they are within no factor.
    """
    ratios: dict[str, list[float]] = {arm: [] for arm in arms}
    counts = dict.fromkeys(arms, 0)
    for costs in instances:
        known = {arm: costs[arm] for arm in arms if arm in costs}
        reached = [cost for cost in known.values() if cost is not None]
        for arm, cost in known.items():
            counts[arm] += 1
            if cost is not None:
                ratios[arm].append(cost / min(reached))
    return {
        arm: tuple((ratio, (place + 1) / counts[arm]) for place, ratio in enumerate(sorted(ratios[arm])))
        for arm in arms
        if counts[arm]
    }
