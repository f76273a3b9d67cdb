"""What was computed for the shapes that were met last, up to a size."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar, final

Value = TypeVar("Value")

MOST_NUMBERS = 2**22  # 16 MiB in single precision: the counts of 400,000 places and kernels of 10


@final
class RecentlyUsed(Generic[Value]):
    """Values by key; what was used longest ago goes where together they have too many numbers."""

    def __init__(self, size: Callable[[Value], int], most_numbers: int = MOST_NUMBERS) -> None:
        """Take how many numbers a value has, and how many all may have; the newest value always stays."""
        self._size = size
        self._most_numbers = most_numbers
        self._values: dict[Hashable, Value] = {}  # the one that was used last comes last
        self._num_numbers = 0

    def find(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of a key, made anew where it is not there."""
        known = self._values.pop(key, None)
        if known is not None:
            self._values[key] = known
            return known
        value = make()
        self._num_numbers += self._size(value)
        while self._values and self._num_numbers > self._most_numbers:
            self._num_numbers -= self._size(self._values.pop(next(iter(self._values))))
        self._values[key] = value
        return value

    def __len__(self) -> int:
        return len(self._values)
