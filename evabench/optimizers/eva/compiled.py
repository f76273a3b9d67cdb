"""A function of tensors that torch.compile turns into one piece of machine code for all shapes."""

from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar, final

import torch

P = ParamSpec("P")
R = TypeVar("R")

BACKEND = "inductor"  # torch's default


@final
class Compiled(Generic[P, R]):
    """Compiles at the first call, and again for what no earlier call was like: a type, a device, an argument of None.

    A copy or a pickle holds the function alone. Where torch cannot compile, under somebody's dispatch mode, the
    function runs as it is. Raises `RuntimeError` where a compiler is missing.
    """

    def __init__(self, function: Callable[P, R]) -> None:
        self.function = function
        self._compiled: Callable[P, R] | None = None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what the function returns."""
        if self._compiled is None:
            self._compiled = torch.compile(self.function, dynamic=True, backend=BACKEND)
        try:
            return self._compiled(*args, **kwargs)
        except RuntimeError as problem:
            from torch._dynamo.exc import TorchDynamoException  # here: it takes a second, and few compile

            if not isinstance(problem, TorchDynamoException):
                raise
            cause = getattr(problem, "inner_exception", problem)
            reason = str(cause).strip().partition("\n")[0]
            raise RuntimeError(
                f"compile=True: torch.compile failed with {type(cause).__name__}: {reason}. No parameter has changed. "
                "Install a C++ compiler such as g++ (on a GPU also Triton), or use compile=False."
            ) from None

    def __getstate__(self) -> dict[str, Any]:
        return {"function": self.function, "_compiled": None}
