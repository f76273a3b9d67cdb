"""M-FAC: the empirical Fisher of the last m gradients of the whole model. No hooks, no extension module.

Legend: G [m, d] the window of gradients, kept parameter by parameter; K [m, m] their inner products.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, final

import torch
from torch import Tensor, nn

from evabench.optimizers.layers.layers import Rest
from evabench.optimizers.layers.sizes import check_window
from evabench.optimizers.mfac.gradient_window import replace_inner_products_, replace_row_, solve_newest
from evabench.optimizers.phases import phase
from evabench.optimizers.shell.groups import Groups
from evabench.optimizers.shell.loading import Shapes
from evabench.optimizers.shell.preconditioner import Preconditioner
from evabench.optimizers.shell.statistics import Levels
from evabench.optimizers.step.descent import MOMENTUM_BUFFER, descend_groups_
from evabench.optimizers.step.loss_scale import found_infinity, gradient_scale
from evabench.optimizers.step.skips import gradient_norms
from evabench.optimizers.step.troubles import Trouble
from evabench.optimizers.tensors import dense_like, in_single_precision
from evabench.settings.choices import Nesterov
from evabench.settings.mfac import MfacSettings


@dataclass(frozen=True, slots=True, eq=False)
class Holder:
    """A module with parameters of its own: all that are trained are part of the one curvature."""

    name: str
    kind: str  # the class of the module
    parameters: list[nn.Parameter]

    @property
    def trained(self) -> list[nn.Parameter]:
        """Those that are trained now."""
        return [each for each in self.parameters if each.requires_grad]

    @property
    def frozen(self) -> tuple[nn.Parameter, ...]:
        """Those that are not."""
        return tuple(each for each in self.parameters if not each.requires_grad)

    @property
    def weight(self) -> nn.Parameter:
        """The first parameter."""
        return self.parameters[0]

    @property
    def why_idle(self) -> str:
        """What keeps a module from having statistics."""
        return "it never had a gradient"


@dataclass(slots=True, eq=False)
class Holders:
    """All modules with parameters of their own, sorted anew at each look: what was frozen may be set free."""

    holders: tuple[Holder, ...]

    def follow(self, fresh: "Holders", trained: Container[nn.Parameter]) -> None:
        """Take what was found in the model as it is now, of trained parameters."""
        held = (replace(each, parameters=[one for one in each.parameters if one in trained]) for each in fresh.holders)
        self.holders = tuple(each for each in held if each.parameters)

    @property
    def layers(self) -> tuple[Holder, ...]:
        """The modules with trained parameters."""
        return tuple(Holder(each.name, each.kind, own) for each in self.holders if (own := each.trained))

    @property
    def rest(self) -> tuple[Rest, ...]:
        """The frozen parameters."""
        return tuple(Rest(each.name, each.kind, own, "frozen") for each in self.holders if (own := each.frozen))


@final
class MFAC(Preconditioner[Holder]):
    """M-FAC (Frantar, Kurtic & Alistarh, arXiv:2107.03356). Owns state and parameter groups.

        F = damping I + 1/m sum over the last m gradients of g g^T,    direction = F^-1 g

    The newest gradient is in F. All parameters of the model are one vector, whatever their groups, whose `lr`,
    `momentum` and `weight_decay` may differ; one that is set free later joins it with gradients of zero for the steps
    before. After `step`, `.grad` holds the direction. Keeps m gradients and reads them twice per step. A step with a
    gradient that is not finite is skipped as a whole, window included.
    Differs from the authors' code: the place in the window is counted on the device, so that a skipped step leaves no
    hole, and the inner products are solved in double precision.
    """

    settings_class = MfacSettings
    statistics = ("gradients", "inner_products", "position")
    of_own_type = ("inner_products", "position")
    overrides = ("lr", "momentum", "weight_decay")  # one curvature for all groups, hence one damping

    def __init__(
        self,
        model: nn.Module,
        *,
        lr: float = 1e-3,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        nesterov: Nesterov = "none",
        damping: float = 1e-5,
        num_gradients: int = 32,
        groups: Groups = (),
    ) -> None:
        settings = MfacSettings(
            lr=lr,
            momentum=momentum,
            weight_decay=weight_decay,
            nesterov=nesterov,
            damping=damping,
            num_gradients=num_gradients,
        )
        super().__init__(model, partial(_find_holders, num_gradients=num_gradients), settings, groups)
        self._adopt_settings()

    def _update_(self) -> None:
        """Update the parameters once: the window, its inner products, then the directions."""
        self._check_window()
        carried = gradient_scale(self)  # by a loss that was scaled for mixed precision
        if carried is not None:
            torch._foreach_div_([each.grad for each in self.names if each.grad is not None], carried)
        norms = gradient_norms(self.names)
        skip = self.skips.check(norms, found_infinity(self))
        group = self.param_groups[0]
        shared = self._shared_state(next(iter(norms.values())).device)
        K, position = shared["inner_products"], shared["position"]
        self._replace_oldest_(K, position, skip > 0)
        with phase("precondition"):
            s = solve_newest(K, position, group["damping"], _rounding(norms))
        self.troubles.add(Trouble(s.escalated, s.failed))
        self._precondition_(s.values)
        position.copy_(torch.where(skip > 0, position, (position + 1) % group["num_gradients"]))
        skip = torch.maximum(skip, s.failed.to(skip))
        # A direction is in the type of its gradient, of which half precision alone can be too small for it.
        narrow = gradient_norms(each for each in self.names if each.dtype is torch.float16)
        if narrow:
            broken = (skip == 0) & ~torch.stack(list(narrow.values())).isfinite().all()
            self.troubles.count_failure(broken)
            skip = torch.maximum(skip, broken.to(skip))
        descend_groups_(self.param_groups, self.state, divisors={}, other_divisor=None, skip=skip)

    def _adopt_settings(self) -> None:
        """Nothing is built from the settings: each step reads them. Whose gradients K holds is read from the state."""
        self.in_window = {each for each in self.names if "gradients" in self.state.get(each, {})}

    def _shapes(self, settings: Mapping[str, Any]) -> Shapes:
        m = settings["num_gradients"]
        shared: dict[str, tuple[int, ...]] = {"inner_products": (m, m), "position": ()}
        return {each: {"gradients": (m, each.numel())} | shared for each in self.names}

    def _whole(self, settings: Mapping[str, Any]) -> tuple[Levels, ...]:
        # Who has a momentum has had a gradient, which is in the window, and in the inner products of all.
        return ([[("inner_products",), ("position",)]], [[("gradients",)], [(MOMENTUM_BUFFER,)]])

    def _has_statistics(self, part: Holder) -> bool:
        states = [self.state.get(parameter, {}) for parameter in part.parameters]
        return any("gradients" in state and bool(state["gradients"].any()) for state in states)

    def _check_window(self) -> None:
        """Raise where the state has lost the gradients of a parameter whose inner products are still in K."""
        have = {each for each in self.names if "gradients" in self.state.get(each, {})}
        lost = self.in_window - have
        keeps_products = "inner_products" in self.state.get(self._first_parameter, {})
        if (lost and (have or keeps_products)) or (have and not keeps_products):
            name = next((self.names[each] for each in self.names if each in lost), "the window")
            raise RuntimeError(
                f"the state of {name} lacks gradients or inner_products: a part of it was deleted. Nothing has "
                "changed. Load a whole state, or start anew: optimizer.state.clear()."
            )
        self.in_window = have

    @property
    def _first_parameter(self) -> nn.Parameter:
        """The first of all groups, of which a group may be empty."""
        found: nn.Parameter = next(each for group in self.param_groups for each in group["params"])
        return found

    def _shared_state(self, device: torch.device) -> dict[str, Any]:
        """Return the state of the first parameter, which holds what belongs to the model as a whole."""
        state: dict[str, Any] = self.state[self._first_parameter]
        if "inner_products" not in state:
            m = self.param_groups[0]["num_gradients"]
            state["inner_products"] = torch.zeros(m, m, dtype=torch.float64, device=device)
            state["position"] = torch.zeros((), dtype=torch.int64, device=device)
        return state

    @phase("capture")
    def _replace_oldest_(self, K: Tensor, position: Tensor, keep: Tensor) -> None:
        """Put the gradients in the place of the oldest ones, and their inner products with all others in K."""
        products = []
        for parameter in self.names:
            state = self.state.get(parameter, {})  # reading it by [] would make an empty one
            if parameter.grad is None:
                if "gradients" in state:  # not reached by this backward pass: its part of the gradient is zero
                    zero = parameter.new_zeros(parameter.numel(), dtype=state["gradients"].dtype)
                    replace_row_(state["gradients"], position, zero, keep)
                continue
            g = in_single_precision(parameter.grad).reshape(-1)
            if "gradients" not in state:
                state = self.state[parameter]
                state["gradients"] = g.new_zeros(len(K), g.numel())
            row = replace_row_(state["gradients"], position, g, keep)
            products.append(torch.mv(state["gradients"], row).to(K))
        replace_inner_products_(K, position, torch.stack(products).sum(0), keep)

    @phase("precondition")
    def _precondition_(self, s: Tensor) -> None:
        """Write the direction, the sum of the window's gradients with the weights s, to `.grad`."""
        for parameter in self.names:
            if parameter.grad is None:
                continue
            parameter.grad = dense_like(parameter.grad, parameter)
            gradients = self.state[parameter]["gradients"]
            weights = s.to(gradients)
            if parameter.grad.is_contiguous() and parameter.grad.dtype == gradients.dtype:
                torch.mv(gradients.T, weights, out=parameter.grad.view(-1))
            else:
                parameter.grad.copy_(torch.mv(gradients.T, weights).view(parameter.shape))


def _find_holders(model: nn.Module, num_gradients: int) -> Holders:
    """Return the modules with parameters of their own; a shared one counts once.

    Raises `ValueError` where nothing is trained, or the memory has no room for the window.
    """
    seen: set[nn.Parameter] = set()
    holders = []
    for path, module in model.named_modules():
        own = [each for each in module.parameters(recurse=False) if each not in seen]
        seen.update(own)
        if own:
            holders.append(Holder(path or type(module).__name__, type(module).__name__, own))
    if not any(holder.trained for holder in holders):
        raise ValueError(f"{type(model).__name__} has no parameter to train: at least one must require a gradient.")
    trained = [each for holder in holders for each in holder.trained]
    check_window(trained, num_gradients)
    return Holders(tuple(holders))


def _rounding(norms: dict[nn.Parameter, Tensor]) -> float:
    """Return the relative rounding error of the coarsest inner product."""
    values: Sequence[Tensor] = list(norms.values())
    return max(torch.finfo(each.dtype).eps for each in values)
