"""docs/findings.md: C4, a step less SGD's by width, and the degrees of what was counted."""

from collections.abc import Iterator

from evabench.claims.reading import shipped_claims
from evabench.findings.costs import CostFamily
from evabench.findings.findings import Findings, make_findings
from evabench.findings.interruptions import KnownVisits
from evabench.findings.work import WorkingArm
from evabench.stats.power_law import PowerLaw
from evabench.stats.trimmed import TrimmedMean
from tools.docs_figures.page import Computed, ComputedTable, ComputedWords
from tools.docs_figures.stored import runs_of, significant

PAGE = "findings.md"
_COLUMNS = {
    "SGD, AdamW": ("SGD", "AdamW"),
    "Eva, Eva-f, Eva-s": ("Eva", "Eva-f", "Eva-s"),
    "M-FAC": ("M-FAC",),
    "K-FAC, FOOF": ("K-FAC@1", "K-FAC@10", "FOOF, eigh", "FOOF, cholesky"),
    "Shampoo": ("Shampoo",),
}


def computed() -> Iterator[Computed]:
    """Yield the tables of steps less SGD's and of degrees, and the sentences about the exponent."""
    findings = make_findings(runs_of("scaling"))
    (family,) = findings.cost_families
    costs = {arm.arm: arm.costs for arm in family.arms}
    sgd = {arm.workload.hidden_widths[0]: arm.amortised_seconds for arm in findings.arms if arm.name == "SGD"}
    yield ComputedTable(
        page=PAGE,
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
    for text in (*_sentences(family), _size(findings)):
        yield ComputedWords(page=PAGE, text=text)
    yield _degrees()


def _sentences(family: CostFamily) -> Iterator[str]:
    laws = {arm.arm: arm.law for arm in family.arms}
    eva, kfac = laws["Eva"], laws["K-FAC@1"]
    assert eva is not None
    assert kfac is not None
    yield f"for Eva p = {_exponent(eva, 1)}, for K-FAC at every step {_exponent(kfac, 2)}"
    yield f"c0, is {1e3 * eva.constant:.2f} ms of Eva's figures"
    (claim,) = (one for one in shipped_claims() if one.quantity == "cost_exponent" and one.arm == "eva")
    power = eva.power_against_cube(claim.number * (1 + claim.tolerance), claim.alpha)
    yield f"refuted a true d^3 in {100 * power:.0f} % of simulated experiments"
    widest = max(eva.widths)
    own = {arm.arm: arm.costs[widest].estimate for arm in family.arms}
    yield f"at d = {widest} K-FAC's work at every step is {own['K-FAC@1'] / own['Eva']:.0f} times Eva's"


def _exponent(law: PowerLaw, digits: int) -> str:
    ends = law.interval
    return f"{law.exponent:.{digits}f} [{ends.low:.{digits}f}, {ends.high:.{digits}f}]"


def _size(findings: Findings) -> str:
    counted, known = [run for run in findings.runs if run.visit], KnownVisits(findings.every_run)
    disturbed = sum(bool(known.disturbances(run)) for run in counted)
    return f"{len(counted)} runs, {disturbed} of those that count disturbed"


def _degrees() -> Computed:
    """Return the table of degrees; of several arms in a column all have the one that it shows."""
    (family,) = make_findings(runs_of("work")).work_families
    arms = {arm.arm: arm for arm in family.arms}
    return ComputedTable(
        page=PAGE,
        heading=("", *_COLUMNS),
        rows=[
            (what, *(_common(str(_degree(arms[name], what)) for name in names) for names in _COLUMNS.values()))
            for what in ("flops", "bytes moved")
        ],
    )


def _degree(arm: WorkingArm, what: str) -> int | None:
    found = arm.flops_degree if what == "flops" else arm.bytes_degree
    return found.degree if found else None


def _common(degrees: Iterator[str]) -> str:
    return " or ".join(sorted(set(degrees)))


def _interval(cost: TrimmedMean) -> str:
    low, high = cost.lower_bound(0.025), cost.upper_bound(0.025)
    return f"{1e3 * cost.estimate:.2f} ms [{1e3 * low:.2f}, {1e3 * high:.2f}]"
