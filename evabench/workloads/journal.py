"""What batches were made of: numbers of samples, and seeds of what is random about them.

Noting is an append. Hashing comes later, when nobody measures.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import final

import numpy as np
from torch import Tensor

DIGEST_BYTES = 8


@final
class Journal:
    """A digest of everything that was drawn, in order."""

    def __init__(self) -> None:
        self._hash = blake2b(digest_size=DIGEST_BYTES)
        self._noted: list[tuple[Tensor | Sequence[int], Sequence[int]]] = []

    def note(self, samples: Tensor | Sequence[int], seeds: Sequence[int] = ()) -> None:
        """Note one batch."""
        self._noted.append((samples, seeds))

    def digest(self) -> str:
        """Return the digest of all that was noted until now."""
        for samples, seeds in self._noted:
            for numbers in (samples, seeds):
                values = np.asarray(numbers, np.int64)
                self._hash.update(len(values).to_bytes(8, "little"))
                self._hash.update(values.tobytes())
        self._noted.clear()
        return self._hash.hexdigest()
