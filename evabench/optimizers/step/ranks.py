"""Statistics of many ranks as one: averaged in one flat all-reduce, where a process group exists."""

from torch import Tensor, distributed

from evabench.optimizers.phases import phase


def num_ranks() -> int:
    """Return the size of the default process group, 1 without one."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return 1
    return distributed.get_world_size()


@phase("communicate")
def average_over_ranks(flat: Tensor) -> Tensor:
    """Return the mean of a vector over all ranks; every rank must pass one of the same length.

    Exact for means over batches of equal size. Costs the bytes of the vector, once.
    """
    summed = flat.clone()
    distributed.all_reduce(summed)  # a sum: gloo knows no average
    return summed / num_ranks()
