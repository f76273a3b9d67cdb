"""Is it second-order at all: which way the steps of each arm went, one line an arm."""

from evabench.findings.arm import MeasuredArm
from evabench.findings.followed import GRADIENT_COSINE, FollowedDirection
from evabench.reporting.report import WorkloadReport
from evabench.reporting.tables.table import NOT_MEASURED, Table, counted
from evabench.stats.spreads import Spread

_SAME = 0.02  # a length within this of 1 / damping is called so


def followed_table(workload: WorkloadReport) -> Table | None:
    """Return what each arm followed; None where no directions were probed."""
    told = _told(workload)
    if not told:
        return None
    most = max(followed.num_seeds for _, followed in told)
    return Table(
        title="Is it second-order at all?",
        headings=("arm", "what it follows", "cosine", "loss / trivial"),
        rows=tuple(
            (arm.name, followed_words(arm, followed), f"{followed.cosine:.4f}", _to_trivial(followed))
            for arm, followed in told
        ),
        note=(
            f"From {counted(most, 'extra training run')} an arm, never judged. Cosine: of the direction with the "
            "gradient of its batch, before momentum and weight decay; the median over probes and layers, each layer "
            f"with its share of the squared gradient. From {GRADIENT_COSINE} on an arm follows the gradient, and what "
            "is compared is its learning rate. The update of any other arm is what its parameters moved by over its "
            "learning rate, momentum and all: shown, never judged. Loss / trivial: validation loss over that of the "
            "best predictor without a net, at the first and the last probe."
        ),
        text=frozenset({"what it follows"}),
    )


def direction_table(workload: WorkloadReport) -> Table | None:
    """Return how long the directions are, and why; None where no directions were probed."""
    told = _told(workload)
    if not told:
        return None
    return Table(
        title="The length of what it follows",
        headings=("arm", "length", "curvature", "clip factor", "lowest cosine"),
        rows=tuple(
            (
                arm.name,
                _spread(followed.stretch),
                _spread(followed.curvature),
                _spread(followed.clip_factor),
                f"{followed.lowest_cosine:.3g}",
            )
            for arm, followed in told
        ),
        note=(
            "Medians over probes, with the lowest and the highest. Length: over the gradient's. Curvature: over the "
            "damping that is added to it, in any layer; far below 1 it cannot matter. Lowest cosine: of any layer at "
            "any probe."
        ),
    )


def followed_words(arm: MeasuredArm, followed: FollowedDirection) -> str:
    """Return "the gradient to 1.0000: only its learning rate is another, 1/damping = 33 times larger"."""
    if followed.followed == "update":
        return "its update, momentum and all"
    if not followed.is_gradient:
        return "a direction of its own"
    words = f"the gradient to {followed.cosine:.4f}"
    if followed.stretch is None:
        return words
    length = followed.stretch.middle
    damping = getattr(arm.optimizer, "damping", None)
    why = "1/damping = " if damping and abs(length * damping - 1) < _SAME else ""
    if abs(length - 1) < _SAME:
        return f"{words}, at its length"
    size = f"{why}{length:.3g} times larger" if length > 1 else f"{why}{length:.3g} of its size"
    return f"{words}: only its learning rate is another, {size}"


def _told(workload: WorkloadReport) -> list[tuple[MeasuredArm, FollowedDirection]]:
    found = [(arm, arm.followed) for arm in workload.arms]
    return [(arm, followed) for arm, followed in found if followed is not None]


def _to_trivial(followed: FollowedDirection) -> str:
    ends = followed.to_trivial
    return f"{ends[0]:.3g} to {ends[1]:.3g}" if ends else NOT_MEASURED


def _spread(spread: Spread | None) -> str:
    if spread is None:
        return NOT_MEASURED
    words = f"{spread.middle:.3g}"
    low, high = f"{spread.low:.3g}", f"{spread.high:.3g}"
    return words if low == high else f"{words} ({low} to {high})"
