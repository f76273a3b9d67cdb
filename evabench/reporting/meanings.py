"""What a number of a claim says to somebody new: of what it is, and what lies to its left and to its right."""

from collections.abc import Mapping
from dataclasses import dataclass

from evabench.settings.claims import Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """The words around a number, and those at the two ends of a scale of it."""

    unit: str  # behind the number: "as fast to the target"
    less: str
    more: str


MEANINGS: Mapping[Quantity, Meaning] = {
    "time_to_target_ratio": Meaning(unit="as fast to the target", less="slower", more="faster"),
    "steps_to_target_ratio": Meaning(unit="as fast, counted in steps", less="more steps", more="fewer steps"),
    "step_time_ratio": Meaning(unit="the time of a step", less="cheaper", more="dearer"),
    "tensor_peak_ratio": Meaning(unit="the memory of a step", less="less", more="more"),
    "validation_loss_ratio": Meaning(unit="the loss", less="lower", more="higher"),
    "validation_loss_difference": Meaning(unit="of loss, below 0 is worse", less="worse", more="better"),
    "validation_accuracy_difference": Meaning(unit="of accuracy, below 0 is worse", less="worse", more="better"),
    "curvature_growth": Meaning(unit="", less="", more=""),
    "curvature_bytes_ratio": Meaning(unit="of the bytes", less="smaller", more="larger"),
    "work_growth": Meaning(unit="for the width d", less="slower growth", more="faster growth"),
    "cost_exponent": Meaning(unit="as the power of the width", less="slower growth", more="faster growth"),
}


def unit_of(quantity: Quantity, estimate: str) -> str:
    """Return what stands behind an estimate: "as fast to the target"; empty behind one without a number."""
    has_number = any(char.isdigit() for char in estimate) and "missed" not in estimate
    return MEANINGS[quantity].unit if has_number else ""
