"""Records that many runs have in common: of equal JSON, one object.

A file of 10,000 runs has some forty cells and one host. Checking each of them once is most of what reading takes, and
what is asked of a shared cell or host again, its identity, is there already.
"""

import json
from functools import lru_cache
from typing import Any

from pydantic import ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from evabench.records.codec import decode, first_mistake

_MOST = 10_000  # cells that are remembered


def shared(kind: type) -> WrapValidator:
    """Return what makes a field of this record one object for equal JSON."""

    @lru_cache(maxsize=_MOST)
    def read(text: str) -> Any:
        try:
            return decode(kind, text)
        except ValidationError as error:
            raise ValueError(first_mistake(error)) from None  # of the whole run, one mistake is told on one line

    def check(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        return read(json.dumps(value)) if isinstance(value, dict) else handler(value)

    return WrapValidator(check)
