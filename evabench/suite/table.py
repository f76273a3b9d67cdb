"""What every table of a measurement can be asked: its cells, and the seeds of their runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from evabench.records.measurement import MeasurementSettings
from evabench.settings.workloads import WorkloadSettings

Workloads = Mapping[str, WorkloadSettings]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A measurement of one workload, at a multiple of its widths, with every arm that is not left out."""

    workload: str
    measurement: MeasurementSettings
    width_scale: float = 1.0
    without: tuple[str, ...] = ()


class Table(Protocol):
    """How much of one kind is measured."""

    in_sweeps: ClassVar[bool]  # else each run stands for itself

    def asked(self, workloads: Workloads) -> Iterator[Asked]:
        """Yield what is measured. Raises `ValueError` for a workload of which it cannot be."""
        ...

    def run_seeds(self, count: int | None) -> range:
        """Return the seeds of each cell; `count` is how many the command line wants. Raises `ValueError`."""
        ...


def check_list(name: str, entries: Sequence[object]) -> None:
    """Raise `ValueError` for a list without an entry, or with one twice."""
    if not entries or len(set(entries)) < len(entries):
        raise ValueError(f"{name} must have one entry at least, and none twice, got {list(entries)}")
