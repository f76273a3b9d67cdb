"""What the reason given for Eva comes to: whether the curvature is of rank one, and which way a step goes.

Numbers are rounded to six digits where they are made, because there are some thousand of them in a run.
"""

from dataclasses import dataclass
from typing import Literal

from evabench.settings.choices import WeightSharing
from evabench.settings.strict import Strict


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorEnergy(Strict):
    """How much of a Kronecker factor F, the mean of r r^T over its rows r, lies in the direction of the mean row m.

    m m^T is what Eva puts in the place of F. The three are in order, mean <= along <= top <= 1, and top >= 1 / size.
    """

    rows: WeightSharing  # what a row is; "expand" where a sample has one position only, and both are the same
    size: int  # of the factor
    mean_share: float | None  # |m|^2 / tr F: of the second moment, what the outer product of the mean holds
    along_share: float | None  # m^T F m / (|m|^2 tr F): of the trace, what lies along the mean
    top_share: float | None  # the largest eigenvalue / tr F: what the best direction holds
    # None: tr F is 0, or not finite; of `along_share` also: the mean is 0 up to rounding and has no direction.


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerEnergy(Strict):
    """Both factors of a layer, over the whole batch; two entries per side where its samples have several positions."""

    name: str
    kind: str  # the class of its module
    inputs: tuple[FactorEnergy, ...]
    output_gradients: tuple[FactorEnergy, ...]  # of each example's own loss


@dataclass(frozen=True, slots=True, kw_only=True)
class Approximation(Strict):
    """The direction of a method of rank one, beside that of the method that it approximates, and the gradient G.

    The first three are cosines. None: one of the two vectors is 0, or not finite.
    """

    to_exact: float | None  # Eva and K-FAC, Eva-f and FOOF, Eva-s and Shampoo
    to_gradient: float | None
    exact_to_gradient: float | None
    changed: float | None  # |D - G| / |G|, D = damping * direction: how much it is more than the gradient over damping


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerDirections(Strict):
    """One layer, without a clip. Eva-s and Shampoo: its weight alone, since a bias takes the plain gradient there."""

    eva: Approximation
    eva_f: Approximation
    eva_s: Approximation
    # The one eigenvalue of the curvature that is not 0, over the damping; far below 1, it cannot matter.
    eva_curvature: float | None  # |a|^2 |b|^2 / damping
    eva_f_curvature: float | None  # |a|^2 / damping
    eva_s_curvature: float | None  # |v_0|^2 |v_1|^2 ... / damping


@dataclass(frozen=True, slots=True, kw_only=True)
class View(Strict):
    """One setting of the methods: each layer, and all layers as one vector."""

    name: str  # of its `ViewSettings`
    layers: tuple[LayerDirections, ...]  # in the order of the probe's
    eva: Approximation
    eva_f: Approximation
    eva_s: Approximation  # each layer with the length of its gradient, as Eva-s and Shampoo have it
    kl_size: float | None  # lr^2 <P, G> of Eva, before the clip
    clip_factor: float | None  # nu of the KL clip; 1: it does not act
    step_gain: float | None  # nu |P| / |G|: Eva's step over SGD's with the same learning rate


@dataclass(frozen=True, slots=True, kw_only=True)
class MechanismProbe(Strict):
    """One moment of the training: the batch of the step that follows."""

    step: int
    loss: float | None  # of the batch; None: not finite
    layers: tuple[LayerEnergy, ...]
    views: tuple[View, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanism(Strict):
    """The probes of one training run; fewer than asked for where its loss was no longer finite.

    1   2026-11-24   the first
    """

    measured: Literal["mechanism"] = "mechanism"
    schema: Literal[1] = 1
    probes: tuple[MechanismProbe, ...]
    layers_left_out: tuple[str, ...]  # trained parameters that no method of Kronecker factors has, and why

    @property
    def divergence(self) -> str | None:
        """Return where the loss was no longer finite, as a sentence; None: every probe was made."""
        last = self.probes[-1]
        return f"the loss was no longer finite at step {last.step}" if last.loss is None else None
