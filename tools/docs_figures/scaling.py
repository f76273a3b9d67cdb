"""docs/findings.md: C4-time, a step less SGD's by width."""

from collections.abc import Iterator

from evabench.findings.findings import make_findings
from evabench.stats.trimmed import TrimmedMean
from tools.docs_figures.page import Computed, ComputedTable
from tools.docs_figures.stored import runs_of, significant


def computed() -> Iterator[Computed]:
    """Yield the table of steps less SGD's."""
    findings = make_findings(runs_of("scaling"))
    (family,) = findings.cost_families
    costs = {arm.arm: arm.costs for arm in family.arms}
    sgd = {arm.workload.hidden_widths[0]: arm.amortised_seconds for arm in findings.arms if arm.name == "SGD"}
    yield ComputedTable(
        page="findings.md",
        heading=("d", "SGD's step", "Eva's step less SGD's [95 %]", "K-FAC@1's less SGD's"),
        rows=[
            (
                str(width),
                f"{1e3 * (sgd[width] or 0):.2f} ms",
                _interval(costs["Eva"][width]),
                f"{significant(1e3 * costs['K-FAC@1'][width].estimate)} ms",
            )
            for width in sorted(costs["Eva"])
        ],
    )


def _interval(cost: TrimmedMean) -> str:
    low, high = cost.lower_bound(0.025), cost.upper_bound(0.025)
    return f"{1e3 * cost.estimate:.2f} ms [{1e3 * low:.2f}, {1e3 * high:.2f}]"
