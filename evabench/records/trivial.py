"""What a predictor that has learned nothing reaches: below it begins what an optimizer is worth."""

from collections.abc import Iterable
from dataclasses import dataclass

from evabench.settings.strict import Strict

# Of the level. A net that has collapsed ends on it to four digits; 2 % lets the noise of a last step pass and is far
# below the distance between a level and what any tuned arm reaches (JUDGING: "within 2 %").
TOLERANCE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class TrivialLevel(Strict):
    """The validation loss of a predictor without a net, fitted to the training split."""

    name: str  # for people: "the mean image"
    validation_loss: float
    # Whether it ignores its input. Such a level is a floor: whoever is above it has learned less than nothing. Another
    # one, such as a principal component, is a plateau: a net on its way down passes through all that lies above it.
    is_constant: bool = True

    def holds(self, loss: float) -> bool:
        """Return whether a run with this final validation loss has come to this level and no further.

        Where losses can be 0 or negative a share of them says nothing, and no level holds.
        """
        if self.validation_loss <= 0:
            return False
        ratio = loss / self.validation_loss
        return ratio >= 1 - TOLERANCE and (self.is_constant or ratio <= 1 + TOLERANCE)


def level_reached(levels: Iterable[TrivialLevel], loss: float | None) -> TrivialLevel | None:
    """Return the level at which a run ended, the highest of several; None: it has learned something, or diverged."""
    if loss is None:
        return None
    held = [level for level in levels if level.holds(loss)]
    return max(held, key=lambda level: level.validation_loss, default=None)
