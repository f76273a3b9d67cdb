"""What stays out of code that torch.compile makes, and what such code must look at."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import torch
from torch._C._dynamo.eval_frame import get_eval_frame_callback
from torch._dynamo import config
from torch._dynamo.utils import counters
from torch.compiler import is_compiling

P = ParamSpec("P")
R = TypeVar("R")


def eager(function: Callable[P, R]) -> Callable[P, R]:
    """Return the function, at which `torch.compile` breaks its graph: what it reads on the host would be frozen.

    Where nothing of `torch.compile` runs in this thread, that is two questions more than the call itself: torch's own
    wrapper asks many, for all of which the caches are cold in a hook between two large products.
    """
    disabled: Callable[P, R] = torch.compiler.disable(  # type: ignore[no-untyped-call]
        function, reason="the statistics and the step of an optimizer are no part of compiled code"
    )

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        if is_compiling() or get_eval_frame_callback() is not None:  # as below, without a call in between
            return disabled(*args, **kwargs)
        return function(*args, **kwargs)

    called._torchdynamo_disable = True  # type: ignore[attr-defined]  # torch's mark: code that is traced does not go in
    return called


def runs_in_compiled_code() -> bool:
    """Return whether this is called by code that `torch.compile` makes, also where a mode keeps it from being made."""
    return is_compiling() or get_eval_frame_callback() is not None


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
