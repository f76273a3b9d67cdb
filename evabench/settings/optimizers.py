"""Optimizers as settings: the only list of them.

A class carries, besides its hyperparameters, what the rest of the program needs to know about the optimizer without
importing torch: its tag in a suite file (`optimizer`), its name for people (`title`), its family (one colour in every
plot), and the length of its refresh cycle.
"""

from typing import Annotated

from pydantic import Field

from evabench.settings.eva import EvaFSettings, EvaSettings, EvaSSettings
from evabench.settings.first_order import AdamWSettings, SgdSettings
from evabench.settings.kronecker import FoofSettings, KfacSettings
from evabench.settings.mfac import MfacSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.shampoo import ShampooSettings

BuiltInSettings = (
    SgdSettings
    | AdamWSettings
    | EvaSettings
    | EvaFSettings
    | EvaSSettings
    | KfacSettings
    | FoofSettings
    | ShampooSettings
    | MfacSettings
)
OptimizerSettings = Annotated[BuiltInSettings | PluginSettings, Field(discriminator="optimizer")]
