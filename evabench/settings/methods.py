"""What an optimizer is called in a claim file: the tag of its settings, or the method that a plug-in implements."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from evabench.settings.optimizers import BuiltInSettings, OptimizerSettings
from evabench.settings.plugin_optimizers import PluginSettings


@dataclass(frozen=True, slots=True)
class Method:
    """A published method that is no optimizer of this package."""

    title: str
    plugins: tuple[str, ...] = ()  # names of plug-ins that implement it, the ones that ship first
    lacking: str = ""  # why there is none, as a clause


METHODS: Mapping[str, Method] = {
    "adagrad": Method("Adagrad", ("evabench.peers.torch_adagrad:adagrad", "torch.optim:Adagrad")),
    "adam": Method("Adam", ("torch.optim:Adam",)),
    "lamb": Method("LAMB", ("pytorch_optimizer:Lamb",)),
    "lion": Method("Lion", ("pytorch_optimizer:Lion",)),
    "mkor": Method("MKOR", lacking="its authors' package has no adapter here"),
    "muon": Method("Muon", ("evabench.peers.torch_muon:muon", "evabench.peers.heavyball:muon")),
    "psgd_kron": Method("PSGD-Kron", ("evabench.peers.heavyball:psgd_kron",)),
    "schedule_free_adamw": Method(
        "Schedule-Free AdamW", ("pytorch_optimizer:ScheduleFreeAdamW", "schedulefree:AdamWScheduleFree")
    ),
    "schedule_free_sgd": Method(
        "Schedule-Free SGD", ("pytorch_optimizer:ScheduleFreeSGD", "schedulefree:SGDScheduleFree")
    ),
    "singd": Method("SINGD", ("evabench.peers.singd:singd",)),
    "soap": Method(
        "SOAP",
        ("evabench.peers.pytorch_optimizer:soap", "evabench.peers.heavyball:soap", "pytorch_optimizer:SOAP"),
    ),
    "sophia": Method(
        "Sophia", lacking="its estimate of the Hessian takes a second backward pass, which no step here makes"
    ),
}
_TITLES: Mapping[str, str] = {
    kind.__dataclass_fields__["optimizer"].default: kind.title for kind in get_args(BuiltInSettings)
}
_BY_PLUGIN: Mapping[str, str] = {plugin: tag for tag, method in METHODS.items() for plugin in method.plugins}


def method_of(settings: OptimizerSettings) -> str:
    """Return the tag of a built-in optimizer; of a plug-in the method that it implements, or else its own name."""
    if not isinstance(settings, PluginSettings):
        return settings.optimizer
    return _BY_PLUGIN.get(settings.name, settings.name)


def title_of(method: str) -> str:
    """Return what people call an optimizer of a claim file; of a plug-in its own name."""
    return METHODS[method].title if method in METHODS else _TITLES.get(method, method)


def is_method(name: str, tags: tuple[str, ...]) -> bool:
    """Return whether a claim file may name it: one of the built-in tags, a method, or a plug-in by its own name."""
    return name in METHODS or ":" in name or (name in tags and name != "plugin")
