"""The base of everything that is read from a file or a pipe: a field that it does not have is refused."""

from evabench.settings.bounds import FORBID


class Strict:
    """A dataclass below it says no to an unknown field, at any depth, instead of dropping it in silence."""

    __slots__ = ()
    __pydantic_config__ = FORBID
