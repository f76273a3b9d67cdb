"""Functions that stay out of code that torch.compile makes of what calls them."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import torch

P = ParamSpec("P")
R = TypeVar("R")


def eager(function: Callable[P, R]) -> Callable[P, R]:
    """Return the function, at which `torch.compile` breaks its graph: what it reads on the host would be frozen.

    Costs a quarter of a microsecond per call.
    """
    disabled: Callable[P, R] = torch.compiler.disable(  # type: ignore[no-untyped-call]
        function, reason="the statistics and the step of an optimizer are no part of compiled code"
    )
    return disabled
