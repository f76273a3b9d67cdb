"""The shell of every optimizer: parameter groups, hooks, checkpoints, pickles, health. The mathematics is elsewhere."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

import torch
from torch import nn

from evabench.optimizers.capture.capture import Capture
from evabench.optimizers.eager import eager
from evabench.optimizers.layers.layers import Preconditioned, Rest
from evabench.optimizers.shell.groups import (
    OVERRIDES,
    Groups,
    as_list,
    check_group,
    group_settings,
    name_parameters,
    split_groups,
)
from evabench.optimizers.shell.health import Health
from evabench.optimizers.shell.loading import Shapes, check_is_state, check_kind, check_settings, check_states
from evabench.optimizers.shell.refusals import check_step
from evabench.optimizers.shell.slots import check_slots, find_slots
from evabench.optimizers.shell.statistics import Levels, drop_parts, restore_statistics
from evabench.optimizers.step.skips import Skips
from evabench.optimizers.step.troubles import Troubles
from evabench.settings.brief import brief

Part = TypeVar("Part", bound=Preconditioned)
Part_co = TypeVar("Part_co", bound=Preconditioned, covariant=True)


class Parts(Protocol[Part_co]):
    """What an optimizer has found in a model: parts with a curvature, and the rest."""

    @property
    def layers(self) -> tuple[Part_co, ...]:
        """What has a curvature."""

    @property
    def rest(self) -> tuple[Rest, ...]:
        """What has none, with the reason."""

    def follow(self, fresh: Self, trained: Container[nn.Parameter]) -> None:
        """Take what was found in the model as it is now, of trained parameters; what is known stays what it is."""


class Preconditioner(torch.optim.Optimizer, ABC, Generic[Part]):
    """An optimizer that divides gradients by a curvature; all that is the same whatever the curvature.

    Abstract or final: a class below this one implements what is abstract here, overrides nothing that is not, and has
    no class below itself. It is the only owner of `state`; what it keeps there is named in `statistics`.
    """

    settings_class: ClassVar[type]  # checks the values of a group
    statistics: ClassVar[tuple[str, ...]]  # in `state` beside the momentum, the first one in every state that has any
    of_own_type: ClassVar[tuple[str, ...]] = ()  # those of `statistics` whose type does not follow the parameter's
    overrides: ClassVar[tuple[str, ...]] = OVERRIDES  # the settings that may differ between groups
    pickled: ClassVar[tuple[str, ...]] = ()  # attributes of the class itself that a copy or a pickle takes along

    def __init__(
        self,
        model: nn.Module,
        find: Callable[[nn.Module], Parts[Part]],
        settings: Any,
        groups: Groups,
        **counters: int,
    ) -> None:
        """Take the parameters of the model in groups; `counters` are numbers that groups hold beside the settings."""
        self.model, self.find = model, find
        self.names = name_parameters(model)
        self.slots = find_slots(model)
        self.parts = find(model)
        self.capture: Capture | None = None
        # A GradScaler hands over its scale instead of reading its verdict on the host. False: the loss is never scaled,
        # and frameworks that clip gradients under autocast need not fear that it is (Lightning).
        self.takes_loss_scale = True
        self.skips = Skips(self.names)
        self.troubles = Troubles()
        super().__init__(split_groups(model, groups), group_settings(settings) | counters)

    @abstractmethod
    def _update_(self) -> None:
        """Update the parameters once, from gradients that were checked."""

    @abstractmethod
    def _adopt_settings(self) -> None:
        """Make what was built from the settings follow the groups, whose values a saved state has brought."""

    @abstractmethod
    def _shapes(self, settings: Mapping[str, Any]) -> Shapes:
        """Return the shapes that statistics have under the settings of a group; one that is left out may have any."""

    @abstractmethod
    def _whole(self, settings: Mapping[str, Any]) -> tuple[Levels, ...]:
        """Return the statistics that a state has all of, or none: one that was deleted in part is refused."""

    @abstractmethod
    def _has_statistics(self, part: Part) -> bool:
        """Return whether the state has a value for this part; waits for the device."""

    @property
    def _step_supports_amp_scaling(self) -> bool:
        return self.takes_loss_scale

    @property
    def layers(self) -> tuple[Part, ...]:
        """What has a curvature."""
        return self.parts.layers

    @property
    def rest(self) -> tuple[Rest, ...]:
        """What has none, with the reason."""
        return self.parts.rest

    @eager
    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters once, from their gradients and the statistics of the same passes.

        A `closure` is called once, before anything is read, and what it returns comes back. Without any gradient
        nothing changes, as in torch.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        if self.capture is not None and not self.capture.is_attached:
            raise RuntimeError("step after detach: the hooks are off. Call attach() before the next batch.")
        self.slots = check_slots(type(self).__name__, self.model, self.slots, self.names)
        if check_step(self, self.names, self.statistics[0], self._whole(self.param_groups[0])):
            try:
                self._update_()
            except BaseException:
                drop_parts(self, self._whole(self.param_groups[0]), self.statistics)
                raise
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, and the statistics of the passes that they came from."""
        super().zero_grad(set_to_none)
        if self.capture is not None:
            self.capture.clear()

    def accumulating(self) -> AbstractContextManager[None]:
        """Count every pass inside, whatever `zero_grad` forgets: `.grad` is put together by hand for the next step."""
        return nullcontext() if self.capture is None else self.capture.accumulating()

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters of the model; raise `ValueError` for a foreign one or a bad value.

        Those of layers that the model has gained since the optimizer was made are new to it, and are watched from now.
        """
        where = f"group {len(self.param_groups)}"
        if not isinstance(param_group, dict):
            raise TypeError(f"{where} must be a dictionary with params, got {brief(param_group)}")
        param_group = {**param_group, "params": as_list(param_group.get("params", ()))}
        names = self.names
        if any(isinstance(each, nn.Parameter) and each not in names for each in param_group["params"]):
            names = name_parameters(self.model)
        check_group(param_group, self.settings_class, names, where, self.overrides)
        super().add_param_group(param_group)
        if names is not self.names:
            self._follow_model({each: names[each] for each in param_group["params"]})

    def detach(self) -> None:
        """Take the hooks off the model and keep the state: for `torch.jit.script`, or a copy of the model without them.

        No step can be made until `attach` puts them back.
        """
        if self.capture is not None:
            self.capture.detach()

    def attach(self) -> None:
        """Put back the hooks that `detach` took off."""
        if self.capture is not None:
            self.capture.attach()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore momentum, statistics and settings bit for bit."""
        loaded: dict[str, Any] = {}

        def check(_: torch.optim.Optimizer, final: dict[str, Any]) -> None:
            check_is_state(self, final)
            check_kind(self, final)
            check_settings(self, final, self.settings_class)
            settings = self.param_groups[0] | final["param_groups"][0]
            check_states(self, final, self.names, self._shapes(settings), self._whole(settings))
            loaded.update(final)

        def restore(_: torch.optim.Optimizer) -> None:
            restore_statistics(self, loaded, self.statistics, self.of_own_type)

        check_is_state(self, state_dict)
        # After the user's hooks, which may put another state in the place of this one, and before what they do behind.
        hooks = (
            self.register_load_state_dict_pre_hook(check),
            self.register_load_state_dict_post_hook(restore, prepend=True),
        )
        try:
            super().load_state_dict(state_dict)
        finally:
            for hook in hooks:
                hook.remove()

    def health(self) -> Health:
        """Return parts without statistics, steps skipped by layer, and trouble in the mathematics; waits."""
        without = tuple(each.name for each in self.layers if not self._has_statistics(each))
        return Health(
            num_layers=len(self.layers),
            layers_without_statistics=without,
            why_plain={} if self.capture is None else self.capture.why_plain(without),
            skipped_steps=self.skips.counts(),
            **self.troubles.counts(),
        )

    def _follow_model(self, added: Mapping[nn.Parameter, str]) -> None:
        """Take in the parameters that the model has gained, and the last group has."""
        new = {parameter: name for parameter, name in added.items() if parameter not in self.names}
        try:
            fresh = self.find(self.model)
        except ValueError:  # it may refuse what it finds
            self.param_groups.pop()
            raise
        self.names |= new
        self.slots = find_slots(self.model)
        self.skips.add(new)
        self.parts.follow(fresh, self.names)
        if self.capture is not None:
            self.capture.follow()
        self._adopt_settings()

    def __getstate__(self) -> dict[str, Any]:
        names = ("model", "find", "names", "slots", "parts", "capture", "takes_loss_scale", "skips", "troubles")
        return super().__getstate__() | {name: getattr(self, name) for name in (*names, *self.pickled)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:  # a state of before there was a setting
            for name, value in self.defaults.items():
                group.setdefault(name, value)
        self._adopt_settings()
