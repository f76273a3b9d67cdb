"""Equal conditions: what the runs of one arm say of themselves, whatever stands beside it."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TypeVar

from evabench.findings.arm import MeasuredArm
from evabench.findings.watched import Found, watched
from evabench.records.checks import TrainingChecks, WatchedBatch

Value = TypeVar("Value")

# Of one net with the same weights, with and without what an optimizer put into it. Half precision, and a layer that has
# its products in another order, stay below; half a batch moves a loss by some hundredths.
_SAME_NET = 1e-3
# One pass finds out the shapes of a net. More of them are work that no clock has seen.
_MAX_PASSES_WHEN_MADE = 1
# A second pass makes it 2. What computes an attention layer in its own way may run layers that torch's code does not.
_MAX_LAYER_CALLS = 1.5


def own_conditions(arm: MeasuredArm) -> Found:
    """Yield what a run changed that no optimizer has to touch, other passes than its steps', and other losses."""
    seen = [checks for _, checks in watched(arm)]
    batches = [batch for checks in seen for batch in checks.batches]
    yield from _of_what_was_touched(seen)
    visits = (visit.checks.switches_changed for visit in arm.visits if visit.checks is not None)
    if switches := _first(chain((checks.switches_changed for checks in seen), visits)):
        yield "switches", None, f"changed what holds for its whole process: {', '.join(switches)}"
    yield from _of_the_making(seen, batches)
    yield from _of_the_passes(batches)
    yield from _of_the_losses(seen, batches)


def _of_what_was_touched(seen: Sequence[TrainingChecks]) -> Found:
    if made := _first(checks.made_changed for checks in seen):
        yield "initial weights", "losses", f"began with other weights than its seed draws: {', '.join(made[:3])}"
    if steps := _first(checks.evaluations_changed for checks in seen):
        yield (
            "evaluations",
            "losses",
            f"had other parameters behind an evaluation than before it, first at step {steps[0]}",
        )
    if splits := _first(checks.data_changed for checks in seen):
        yield "data", "losses", f"ended with other data than it began with: {', '.join(splits)}"


def _of_the_making(seen: Sequence[TrainingChecks], batches: Sequence[WatchedBatch]) -> Found:
    made = max((checks.layer_calls_when_made or 0 for checks in seen), default=0)
    one_pass = max((batch.untouched_layer_calls or 0 for batch in batches), default=0)
    if one_pass and made > _MAX_PASSES_WHEN_MADE * one_pass:
        where = f"where a pass of its net does {one_pass}"
        yield "making", None, f"ran layers {made} times before its training began, {where}"


def _of_the_passes(batches: Sequence[WatchedBatch]) -> Found:
    passes = max((batch.num_passes or 0 for batch in batches), default=0)
    if passes > 1:
        yield "passes", "losses", f"ran its model {passes} times in a step that trains on one batch"
    elif more := next((batch for batch in batches if _ran_more_layers(batch)), None):
        once = f"where a pass of its net does {more.untouched_layer_calls}"
        yield "passes", "losses", f"ran layers {more.num_layer_calls} times in step {more.step}, {once}"
    if otherwise := [batch.step for batch in batches if batch.fed_otherwise]:
        yield "inputs", "losses", f"fed its model with other inputs than those of the batch, as in step {otherwise[0]}"


def _of_the_losses(seen: Sequence[TrainingChecks], batches: Sequence[WatchedBatch]) -> Found:
    for batch in batches:
        if apart := _apart(batch.loss, batch.untouched_loss):
            yield (
                "loss of a step",
                "losses",
                f"has a loss of {apart[0]:.7g} in step {batch.step}, {_untouched(apart[1])}",
            )
            break
    for one in (again for checks in seen for again in checks.judged_again):
        if apart := _apart(one.loss, one.untouched_loss):
            where = f"after step {one.step}, {_untouched(apart[1])}"
            yield "judged net", "losses", f"has a validation loss of {apart[0]:.7g} {where}"
            break


def _ran_more_layers(batch: WatchedBatch) -> bool:
    ran, once = batch.num_layer_calls, batch.untouched_layer_calls
    return ran is not None and once is not None and ran > _MAX_LAYER_CALLS * once


def _apart(own: float | None, untouched: float | None) -> tuple[float, float] | None:
    """Return both losses where they are not those of one net."""
    if own is None or untouched is None or abs(own - untouched) <= _SAME_NET * abs(untouched):
        return None
    return own, untouched


def _untouched(loss: float) -> str:
    return f"where its weights come to {loss:.7g} in a net that it has not touched"


def _first(found: Iterable[Sequence[Value] | None]) -> Sequence[Value]:
    return next((one for one in found if one), ())
