"""How often each arm is within a factor of the fastest one: a performance profile over workloads and seeds."""

from evabench.reporting.charts.chart import Line, Lines, Look, View
from evabench.reporting.report import Report, WorkloadReport
from evabench.stats.performance_profile import performance_profile

Instances = tuple[dict[str, float | None], ...]

_MIN_INSTANCES = 4  # fewer say less than the times themselves
_BEYOND = 1.15  # how far behind the last step the lines go on


def profile_chart(report: Report, looks: dict[str, Look]) -> Lines | None:
    """Return the profile of the time to the target, or of the steps where nothing was timed; None without targets."""
    trained = [one for workload in report.workloads for one in (workload, *workload.other_budgets) if one.target]
    timed = tuple(instance for one in trained for instance in _seconds(one))
    counted = tuple(instance for one in trained for instance in _steps(one))
    instances = timed if _tells(timed) else counted
    if not _tells(instances):
        return None
    what, arms = ("time" if instances is timed else "steps"), [arm for arm in report.suite.arms if _has(instances, arm)]
    found = performance_profile(instances, arms)
    last = max((ratio for steps in found.values() for ratio, _ in steps), default=1.0) * _BEYOND
    return Lines(
        views=(View(name="factor", label=f"{what} to the target / that of the best arm", logarithmic=True),),
        lines=tuple(_line(arm, looks[arm], found[arm], last) for arm in arms if arm in found),
        y_label="share of workloads x seeds",
        y_reading="share",
        y_range=(0.0, 1.03),
        stepped=True,
        instances=instances,
    )


def _tells(instances: Instances) -> bool:
    """Return whether there are enough instances, and two arms to compare."""
    return len(instances) >= _MIN_INSTANCES and len({arm for instance in instances for arm in instance}) > 1


def _has(instances: Instances, arm: str) -> bool:
    return any(arm in instance for instance in instances)


def _line(arm: str, look: Look, steps: tuple[tuple[float, float], ...], last: float) -> Line:
    shares = [0.0, *(share for _, share in steps)]
    return Line(arm=arm, look=look, x=(1.0, *(ratio for ratio, _ in steps), last), y=(*shares, shares[-1]))


def _seconds(workload: WorkloadReport) -> list[dict[str, float | None]]:
    found = {arm.name: arm.seconds_to(workload.target.goal) for arm in workload.arms if workload.target}
    return _by_seed({arm: seconds for arm, seconds in found.items() if seconds})


def _steps(workload: WorkloadReport) -> list[dict[str, float | None]]:
    found = {arm.name: arm.steps_to(workload.target.goal) for arm in workload.arms if workload.target}
    return _by_seed({arm: dict(steps) for arm, steps in found.items() if steps})


def _by_seed(costs: dict[str, dict[int, float | None]]) -> list[dict[str, float | None]]:
    seeds = sorted({seed for by_seed in costs.values() for seed in by_seed})
    return [{arm: by_seed[seed] for arm, by_seed in costs.items() if seed in by_seed} for seed in seeds]
