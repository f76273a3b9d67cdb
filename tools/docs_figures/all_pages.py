"""Everything that is computed, page by page."""

from collections.abc import Iterator

from tools.docs_figures import beside, damping, descent, gpu, mechanism, memory, on_a_gpu, peers, quadratic, scaling
from tools.docs_figures.page import Computed


def everything() -> Iterator[Computed]:
    """Yield every table and sentence."""
    for source in (memory, damping, scaling, descent, peers, mechanism, quadratic, gpu, on_a_gpu, beside):
        yield from source.computed()
