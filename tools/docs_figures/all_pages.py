"""Everything that is computed, page by page."""

from collections.abc import Iterator

from tools.docs_figures import beside, damping, descent, gpu, mechanism, memory, peers, quadratic, scaling
from tools.docs_figures.page import Computed


def everything() -> Iterator[Computed]:
    """Yield every table and sentence."""
    for source in (memory, damping, scaling, descent, peers, mechanism, quadratic, gpu, beside):
        yield from source.computed()
