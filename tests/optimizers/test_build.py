from dataclasses import asdict

import pytest
import torch

from evabench.optimizers import FOOF, KFAC, MFAC, Eva, EvaF, EvaS, Shampoo, build_optimizer
from evabench.optimizers.eva.compiled import Compiled
from evabench.settings.eva import EvaFSettings, EvaSettings, EvaSSettings
from evabench.settings.first_order import AdamWSettings, SgdSettings
from evabench.settings.kronecker import FoofSettings, KfacSettings
from evabench.settings.mfac import MfacSettings
from evabench.settings.shampoo import ShampooSettings
from tests.optimizers.models import small_net

SETTINGS = [
    (SgdSettings(lr=0.2, weight_decay=0.1, nesterov=True), torch.optim.SGD),
    (SgdSettings(lr=0.2, fused=False), torch.optim.SGD),
    (AdamWSettings(lr=0.2, eps=1e-6), torch.optim.AdamW),
    (EvaSettings(lr=0.2, damping=0.1, clip="rescale", statistics_batch=16), Eva),
    (EvaFSettings(lr=0.2, damping=0.1, clip="rescale", statistics_batch=16), EvaF),
    (EvaSSettings(lr=0.2, damping=0.1, beta2=0.9, nesterov="standard"), EvaS),
    (MfacSettings(lr=0.2, damping=0.1, nesterov="standard", num_gradients=3), MFAC),
    (KfacSettings(lr=0.2, damping=0.1, damping_scale="relative", statistics_every=7, refresh_every=14), KFAC),
    (FoofSettings(lr=0.2, damping=0.1, factorisation="eigh", top_k=3, statistics_every=7, refresh_every=14), FOOF),
    (
        ShampooSettings(
            lr=0.2,
            beta2=0.9,
            nesterov="standard",
            epsilon=1e-4,
            root_order=3,
            root_method="newton",
            grafting="rmsprop",
            merge_up_to=9,
            block_size=3,
            statistics_every=7,
            refresh_every=14,
        ),
        Shampoo,
    ),
]


def in_groups(settings):
    """Return the settings that parameter groups hold: whether a step is compiled, and the groups, are none of them."""
    return {name: value for name, value in asdict(settings).items() if name not in ("compile", "groups")}


def test_compile_reaches_eva_and_eva_f_and_no_parameter_group():
    for settings in (EvaSettings(compile=True), EvaFSettings(compile=True)):
        optimizer = build_optimizer(settings, small_net())
        assert isinstance(optimizer.project_, Compiled)
        assert "compile" not in optimizer.param_groups[0]


@pytest.mark.parametrize(("settings", "optimizer_class"), SETTINGS)
def test_every_setting_reaches_its_optimizer(settings, optimizer_class):
    optimizer = build_optimizer(settings, small_net())
    assert type(optimizer) is optimizer_class
    group = optimizer.param_groups[0]
    wanted = in_groups(settings)
    del wanted["optimizer"]
    if wanted.pop("fused", None) is not None:
        assert group["fused"] is (settings.fused or None)  # None: torch's own choice
    if optimizer_class is torch.optim.AdamW:
        wanted["betas"] = (wanted.pop("beta1"), wanted.pop("beta2"))
    assert {name: group[name] for name in wanted} == wanted


@pytest.mark.parametrize(("settings", "optimizer_class"), SETTINGS[3:])
def test_the_defaults_of_the_constructor_are_those_of_the_settings(settings, optimizer_class):
    group = optimizer_class(small_net()).param_groups[0]
    defaults = type(settings)()
    assert {name: group[name] for name in in_groups(defaults)} == in_groups(defaults)
