"""Statistics of many ranks as one: averaged in one flat all-reduce, where a process group exists."""

from typing import Any, Literal, final

from torch import Tensor, distributed

from evabench.optimizers.phases import phase

ProcessGroup = distributed.ProcessGroup | Literal[False] | None  # None: the default group; False: never


@final
class Ranks:
    """Those that train one model together."""

    def __init__(self, process_group: ProcessGroup = None) -> None:
        self.process_group = process_group

    def count(self) -> int:
        """Return how many there are: 1 without a process group."""
        if self.process_group is False or not (distributed.is_available() and distributed.is_initialized()):
            return 1
        return distributed.get_world_size(self.process_group)

    @phase("communicate")
    def average(self, flat: Tensor) -> Tensor:
        """Return the mean of a vector over all ranks; every rank must pass one of the same length.

        Exact for means over batches of equal size. Costs the bytes of the vector, once.
        """
        summed = flat.clone()
        distributed.all_reduce(summed, group=self.process_group or None)  # a sum: gloo knows no average
        return summed / self.count()

    def __deepcopy__(self, _: Any) -> "Ranks":
        return self

    def __reduce__(self) -> tuple[type["Ranks"], tuple[ProcessGroup]]:
        if self.process_group not in (None, False):
            raise TypeError(
                "an optimizer with a process_group of its own cannot be pickled: the group belongs to this process. "
                "Save its state_dict() instead."
            )
        return Ranks, (self.process_group,)
