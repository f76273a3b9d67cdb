"""How a message shows a value that somebody has passed: never a tensor, a model or a data set in full."""

from collections.abc import Mapping, Sized
from reprlib import Repr

LONGEST = 60  # characters

_repr = Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = LONGEST


def brief(value: object) -> str:
    """Return numbers and short texts as they are, texts in double quotes, and all else by its kind and size."""
    kind = type(value).__name__
    article = "an" if kind[:1].lower() in "aeiou" else "a"
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= LONGEST else f'"{value[:LONGEST]}..."'
    if value is None or isinstance(value, bool | int | float | complex):
        return _repr.repr(value)
    if isinstance(value, type):
        return f"the class {value.__name__}"
    shape = getattr(value, "shape", None)
    if shape is not None:
        return f"{article} {kind} of shape {tuple(shape)}"
    if isinstance(value, Mapping | list | tuple | set | frozenset) and isinstance(value, Sized):
        return f"{article} {kind} of {len(value)}"
    return f"{article} {kind}"


def brief_list(values: object, limit: int = 5) -> str:
    """Return the first values of a collection, and how many more there are."""
    found = list(values)  # type: ignore[call-overload]
    words = [str(each)[:LONGEST] if isinstance(each, str) else brief(each) for each in found[:limit]]
    more = [f"{len(found) - limit} more"] if len(found) > limit else []
    return ", ".join(words + more)
