"""Python's garbage collector while steps are trained or timed: at work, and the same in both.

An optimizer that makes objects pays for their collection in training, so it pays where it is timed too; and nothing
that it could look at tells one from the other. What lies there before is frozen: to look through all of torch at
every full collection is no part of a step.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collecting_new_objects() -> Iterator[None]:
    """Have the collector look only at what is made from now on."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
