"""A user's own model and data as settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Self

from evabench.settings.bounds import Count, check_bounds
from evabench.settings.choices import Modules, Packages, Precision, Value, check_options
from evabench.settings.identity import legacy, place
from evabench.settings.plugin_files import PluginPlace
from evabench.settings.strict import Strict


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginWorkloadSettings(Strict):
    """A user's own task, made by `Name(seed=seed, **options)` in the child."""

    family: ClassVar[str] = "own workload"
    hidden_widths: ClassVar[tuple[int, ...]] = ()
    stand_in: ClassVar[bool] = False
    modules: ClassVar[Modules] = ("evabench.worker.plugin",)
    packages: ClassVar[Packages] = ()

    workload: Literal["plugin"] = "plugin"
    name: str  # "package.module:Name" or "path/to/file.py:Name", a path as seen from the suite's file
    options: Mapping[str, Value] = field(default_factory=dict)
    title: str = "own model"  # for people
    data: str = "own data"
    batch: Count = 32
    training_samples: Count  # that are trained on: so an epoch has a length before the data is loaded
    precision: Precision = legacy("fp32")  # "fp32": as its own code has it
    channels_last: bool = legacy(False)  # images in memory: the channels innermost
    compiled: bool = legacy(False)  # the model, by `torch.compile`
    lies: PluginPlace | None = place()  # None: its suite is no file; a path is seen from the folder of the call then

    def __post_init__(self) -> None:
        """Refuse a name that does not say where to look, and a batch larger than the training set."""
        check_bounds(self)
        check_options(self.options)
        module, _, attribute = self.name.rpartition(":")
        if not (module and attribute):
            raise ValueError(f'name must be "package.module:Name" or "path/to/file.py:Name", got "{self.name}"')
        if self.batch > self.training_samples:
            raise ValueError(f"batch must be at most training_samples, {self.training_samples}, got {self.batch}")

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in one pass."""
        return self.training_samples // self.batch

    @property
    def shape(self) -> str:
        """Return "(mine.py:Task), batch 32"."""
        return f"({self.name}), batch {self.batch}"

    def scaled(self, scale: float) -> Self:
        """Raise `ValueError`: evabench does not know the widths of a user's model."""
        raise ValueError(f'width_scales must be [1.0] for "{self.name}": only its own code knows its widths')
