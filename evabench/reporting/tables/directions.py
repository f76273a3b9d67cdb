"""Is it second-order at all: which way the steps of each arm went, one line an arm."""

from evabench.findings.arm import MeasuredArm
from evabench.findings.followed import GRADIENT_COSINE, FollowedDirection
from evabench.reporting.report import WorkloadReport
from evabench.reporting.tables.table import NOT_MEASURED, Table, counted
from evabench.stats.spreads import Spread

_SAME = 0.02  # a length within this of 1 / damping is called so


def followed_table(workload: WorkloadReport) -> Table | None:
    """Return what each arm followed; None where no directions were probed."""
    found = [(arm, arm.followed) for arm in workload.arms]
    told = [(arm, followed) for arm, followed in found if followed is not None]
    if not told:
        return None
    most = max(followed.num_seeds for _, followed in told)
    return Table(
        title="Is it second-order at all?",
        headings=("arm", "what it follows", "cosine", "length", "curvature", "clip factor", "loss / trivial"),
        rows=tuple(_row(arm, followed) for arm, followed in told),
        note=(
            f"From {counted(most, 'extra training run')} an arm, never judged. Cosine: of the direction with "
            "the gradient of its batch, before momentum and weight decay; the median over probes and layers, each "
            "layer with its share of the squared gradient. "
            f"From {GRADIENT_COSINE} on an arm follows the gradient, and what is compared is its learning rate. "
            "Length: over the gradient's. Curvature: over the damping that is added to it; far below 1 it cannot "
            "matter. Loss / trivial: validation loss over that of the best predictor without a net, at the first and "
            "the last probe. The update of any other arm is what its parameters moved by over its learning rate, "
            "momentum and all: shown, never judged."
        ),
        text=frozenset({"what it follows"}),
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


def _row(arm: MeasuredArm, followed: FollowedDirection) -> tuple[str, ...]:
    ends = followed.to_trivial
    return (
        arm.name,
        followed_words(arm, followed),
        _cosine(followed),
        _spread(followed.stretch),
        _spread(followed.curvature),
        _spread(followed.clip_factor),
        f"{ends[0]:.3g} to {ends[1]:.3g}" if ends else NOT_MEASURED,
    )


def _cosine(followed: FollowedDirection) -> str:
    return f"{followed.cosine:.4f} (lowest {followed.lowest_cosine:.3g})"


def _spread(spread: Spread | None) -> str:
    if spread is None:
        return NOT_MEASURED
    words = f"{spread.middle:.3g}"
    low, high = f"{spread.low:.3g}", f"{spread.high:.3g}"
    return words if low == high else f"{words} ({low} to {high})"
