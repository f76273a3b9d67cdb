"""An optimizer of the user's own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from evabench.settings.bounds import Count, check_bounds
from evabench.settings.choices import Family, Modules, Packages, Value, check_options
from evabench.settings.groups import Groups, check_own_groups
from evabench.settings.identity import legacy, place
from evabench.settings.plugin_files import PluginPlace
from evabench.settings.strict import Strict

_ADAPTED: Mapping[str, Packages] = {
    "evabench.peers.asdl": ("asdfghjkl",),
    "evabench.peers.heavyball": ("heavyball",),
    "evabench.peers.pytorch_optimizer": ("pytorch-optimizer",),
    "evabench.peers.singd": ("singd",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginSettings(Strict):
    """A user's own optimizer, called as `Name(model.parameters(), **options)`."""

    title: ClassVar[str] = "plug-in"
    family: ClassVar[Family] = "plugin"
    modules: ClassVar[Modules] = ("evabench.worker.plugin",)

    optimizer: Literal["plugin"] = "plugin"
    name: str  # "package.module:Name" or "path/to/file.py:Name", a path as seen from the suite's file
    options: Mapping[str, Value] = field(default_factory=dict)
    takes_model: bool = False  # True: called with the model instead of its parameters
    closure: bool = legacy(False)  # True: its step calls a closure that makes the passes, as often as it likes
    groups: Groups = legacy(())  # settings of their own for parameters that match
    refresh_every: Count = 1  # so that its steps are measured over whole cycles too
    lies: PluginPlace | None = place()  # None: its suite is no file; a path is seen from the folder of the call then

    def __post_init__(self) -> None:
        """Refuse a name that does not say where to look."""
        check_bounds(self)
        check_options(self.options)
        check_own_groups(self.groups)
        if self.groups and self.takes_model:
            raise ValueError("groups need takes_model = false: what is called with the model makes its groups itself")
        module, _, attribute = self.name.rpartition(":")
        if not (module and attribute):
            raise ValueError(f'name must be "package.module:Name" or "path/to/file.py:Name", got "{self.name}"')

    @property
    def packages(self) -> Packages:
        """Return what an adapter that comes with evabench adapts. Of a user's own, its files count."""
        return _ADAPTED.get(self.name.partition(":")[0], ())

    @property
    def cycle_steps(self) -> int:
        """Steps from one refresh to the next."""
        return self.refresh_every
