"""Optimizers that work on any model, as `torch.optim.Optimizer`s, and which settings make which."""

from dataclasses import asdict
from typing import Any, assert_never

import torch
from torch import nn

from evabench.optimizers.eva.eva import Eva
from evabench.optimizers.eva.eva_f import EvaF
from evabench.optimizers.eva.eva_s import EvaS
from evabench.optimizers.kfac.foof import FOOF
from evabench.optimizers.kfac.kfac import KFAC
from evabench.optimizers.matching import all_groups, matched_groups
from evabench.optimizers.mfac.mfac import MFAC
from evabench.optimizers.shampoo.shampoo import Shampoo
from evabench.optimizers.shell.coverage import coverage
from evabench.optimizers.shell.health import health
from evabench.settings.eva import EvaFSettings, EvaSettings, EvaSSettings
from evabench.settings.first_order import AdamWSettings, SgdSettings
from evabench.settings.kronecker import FoofSettings, KfacSettings
from evabench.settings.mfac import MfacSettings
from evabench.settings.optimizers import BuiltInSettings
from evabench.settings.shampoo import ShampooSettings

__all__ = ["FOOF", "KFAC", "MFAC", "Eva", "EvaF", "EvaS", "Shampoo", "coverage", "health"]


def build_optimizer(settings: BuiltInSettings, model: nn.Module) -> torch.optim.Optimizer:
    """Return the optimizer of these settings over all parameters of the model."""
    match settings:
        case SgdSettings(lr=lr, momentum=momentum, weight_decay=decay, nesterov=nesterov, fused=fused, groups=groups):
            # False would also forbid torch's other kernel for many tensors; None leaves the choice to torch.
            return torch.optim.SGD(
                all_groups(model, groups), lr, momentum, weight_decay=decay, nesterov=nesterov, fused=fused or None
            )
        case AdamWSettings(lr=lr, beta1=beta1, beta2=beta2, eps=eps, weight_decay=decay, fused=fused, groups=groups):
            return torch.optim.AdamW(all_groups(model, groups), lr, (beta1, beta2), eps, decay, fused=fused or None)
        case EvaSettings():
            return Eva(model, **_arguments(settings, model))
        case EvaFSettings():
            return EvaF(model, **_arguments(settings, model))
        case EvaSSettings():
            return EvaS(model, **_arguments(settings, model))
        case KfacSettings():
            return KFAC(model, **_arguments(settings, model))
        case FoofSettings():
            return FOOF(model, **_arguments(settings, model))
        case ShampooSettings():
            return Shampoo(model, **_arguments(settings, model))
        case MfacSettings():
            return MFAC(model, **_arguments(settings, model))
        case _:
            assert_never(settings)


def _arguments(settings: Any, model: nn.Module) -> dict[str, Any]:
    arguments = {name: value for name, value in asdict(settings).items() if name != "optimizer"}
    return arguments | {"groups": matched_groups(model, settings.groups)}
