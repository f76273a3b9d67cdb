"""Eva, Eva-f and Eva-s with their vectors off: every operator of a step, and no curvature in what it computes."""

import math
from collections.abc import Mapping
from typing import Any


def solving_damping(group: Mapping[str, Any]) -> float:
    """Return the damping under which a group's curvature is inverted; infinite where its vectors are off.

    All that the three methods take out of G is c times an outer product, c = (...) / (damping + curvature). With an
    infinite damping c is 0 and D = G, by the same operators on the same tensors, so that a step costs what it cost.
    Whatever else reads the damping, such as the factor 1 / damping of Eva's direction, reads the group's own:

        Eva    P = nu G / damping under "kl_clip", "rescale" and "none", P = nu G under "kl_normalization"
        Eva-f  P = nu G
        Eva-s  P = G, since it has the length of G already: SGD

    with nu the clip of this P, over the preconditioned layers.
    """
    # A state that was saved before there was this setting has none.
    return math.inf if group.get("vectors", "on") == "off" else group["damping"]
