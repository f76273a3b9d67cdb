"""How the passes of a workload are computed: their precision, the memory order of images, and compiled or not."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, final

import torch
from torch import Tensor, nn

from evabench.settings.choices import Precision
from evabench.settings.workloads import WorkloadSettings
from evabench.workloads.journal import Journal
from evabench.workloads.workload import Batch, HeldOut, Source, Workload

AUTOCAST: Final[dict[Precision, torch.dtype]] = {"bf16": torch.bfloat16, "fp16": torch.float16}
_AXES_OF_IMAGES = 4


def computed(workload: Workload, settings: WorkloadSettings, device: torch.device) -> Workload:
    """Return the workload with the passes that its settings ask for; the model lies on the device already."""
    precision: Precision | None = None if settings.precision == "fp64" else settings.precision
    dtype = None if precision is None else AUTOCAST.get(precision)
    if precision == "fp16":
        workload = replace(workload, scaler=torch.amp.GradScaler(device.type))
    if dtype is not None:
        workload = replace(workload, autocast=dtype)
    if settings.channels_last:
        workload.model.to(memory_format=torch.channels_last)
        workload = replace(workload, source=ChannelsLast(workload.source))
    if settings.compiled:
        # Nothing is compiled before the first pass: an optimizer that is made until then has its hooks in it.
        workload = replace(workload, forward=torch.compile(workload.model))
    return workload


def set_switches(precision: str, *, deterministic: bool) -> None:
    """Set what torch keeps for a whole process: TF32 where "tf32" is asked for and nowhere else, and determinism."""
    tf32 = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32
    torch.use_deterministic_algorithms(deterministic)


@final
class ChannelsLast:
    """The batches of a source; of images, the channels lie innermost in memory."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def training_batches(self, journal: Journal | None = None) -> Iterator[Batch]:
        """Yield batches of one size without end."""
        return map(_reordered, self.source.training_batches(journal))

    def stored(self) -> Mapping[str, Sequence[Tensor]]:
        """Return what the batches are taken from, where it lies."""
        return self.source.stored()

    @property
    def readers(self) -> frozenset[int]:
        """Return the processes that have read batches ahead."""
        return self.source.readers

    def held_out(self, split: HeldOut) -> Iterable[Batch]:
        """Yield every sample of a split once."""
        return map(_reordered, self.source.held_out(split))


def _reordered(batch: Batch) -> Batch:
    inputs: Tensor = batch.inputs
    if inputs.ndim != _AXES_OF_IMAGES:
        return batch
    return Batch(inputs.contiguous(memory_format=torch.channels_last), batch.targets)


def plain(workload: Workload, model: nn.Module) -> Workload:
    """Return the workload with another model, whose passes are computed as it has them: for a copy in double."""
    return replace(workload, model=model, autocast=None, scaler=None, forward=None)
