"""A check that an arm did not pass."""

from dataclasses import dataclass
from typing import Literal

About = Literal["losses", "seconds", "bytes"]


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """What was found, for people: most causes are accidents, such as caches, logging or state that comes late."""

    name: str
    sentence: str  # about the arm, which it names
    about: About | None = None  # the figures that say less than they seem to; None: all of them
