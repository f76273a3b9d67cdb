"""Everything that is computed, page by page."""

from collections.abc import Iterator

from tools.docs_figures import damping, descent, mechanism, memory, peers, quadratic, scaling
from tools.docs_figures.page import Computed


def everything() -> Iterator[Computed]:
    """Yield every table and sentence."""
    for source in (memory, damping, scaling, descent, peers, mechanism, quadratic):
        yield from source.computed()
