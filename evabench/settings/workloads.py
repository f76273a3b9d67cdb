"""Workloads as settings: a model, its data and its batch.

Every class says the same things about itself: `title` (the model's published name, as claims have it), `family` (the
same net at any width), `hidden_widths` (empty where it has no widths to vary), `shape` (for people), `data`, `batch`,
`stand_in` (generated data: no claim is judged on it) and `steps_per_epoch` (None where a pass has no fixed length).
"""

from typing import Annotated

from pydantic import Field

from evabench.settings.autoencoders import AutoencoderSettings
from evabench.settings.classifiers import ClassifierSettings
from evabench.settings.language import LanguageSettings
from evabench.settings.plugin_workloads import PluginWorkloadSettings
from evabench.settings.quadratics import QuadraticSettings
from evabench.settings.synthetic import SyntheticSettings

WorkloadSettings = Annotated[
    AutoencoderSettings
    | ClassifierSettings
    | LanguageSettings
    | SyntheticSettings
    | QuadraticSettings
    | PluginWorkloadSettings,
    Field(discriminator="workload"),
]
