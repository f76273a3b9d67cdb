"""What stays out of code that torch.compile makes, and what such code must look at."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import torch
from torch._dynamo import config
from torch._dynamo.utils import counters

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


def have_compiled_code_look_for_hooks() -> None:
    """Have code that `torch.compile` makes run for modules with the hooks that it was made for, and no others.

    torch leaves that check out by default: a model that was compiled before its hooks were there, or whose code another
    model of the class had, would never call them, and take SGD's steps without a word. What was compiled until now is
    compiled again.
    """
    if config.skip_nnmodule_hook_guards:
        config.skip_nnmodule_hook_guards = False
        if counters["frames"]:
            torch.compiler.reset()
