"""Whose ablation an arm is: `ablation_of` in a file, beside the settings of an arm and none of them.

It changes no run, so it is in no cell and no key. A verdict on an arm says first where its ablation does as well
(`claims/validity.py`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from evabench.settings.eva import is_ablation
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.suite.suite import Suite

ABLATION_OF = "ablation_of"


def without_ablations(file: Mapping[str, Any]) -> dict[str, Any]:
    """Return a file whose arms have their settings alone."""
    arms = file.get("arms")
    if not isinstance(arms, Mapping):
        return dict(file)
    return {**file, "arms": {name: _settings(arm) for name, arm in arms.items()}}


def with_ablations(suite: Suite, file: Mapping[str, Any]) -> Suite:
    """Return the suite with what its file says of whose ablation an arm is; what is no text is left out."""
    return replace(suite, ablations={arm: of for arm, of in _said(file).items() if isinstance(of, str)})


def check_ablations(suite: Suite, file: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with whose ablation an arm is said to be, and which arms have to say it."""
    said = _said(file)
    told = [f"[arms.{arm}]: {ABLATION_OF} {why}" for arm, of in said.items() for why in _problems(suite, said, arm, of)]
    return [*told, *_unsaid(suite, said)]


def _settings(arm: Any) -> Any:
    return {key: value for key, value in arm.items() if key != ABLATION_OF} if isinstance(arm, Mapping) else arm


def _said(file: Mapping[str, Any]) -> dict[str, Any]:
    arms = file.get("arms")
    named = arms.items() if isinstance(arms, Mapping) else ()
    return {name: arm[ABLATION_OF] for name, arm in named if isinstance(arm, Mapping) and ABLATION_OF in arm}


def _problems(suite: Suite, said: Mapping[str, Any], arm: str, of: Any) -> Iterator[str]:
    others = [name for name, one in suite.arms.items() if name not in said and not is_ablation(one)]
    allowed = f"It may be: {', '.join(others) or 'none, for no arm is left'}"
    if not isinstance(of, str):
        yield f"must be the name of an arm, got {of!r}. {allowed}"
    elif of == arm:
        yield f"names the arm itself. {allowed}"
    elif of not in suite.arms:
        yield f'"{of}" is no arm of this suite. {allowed}'
    elif of not in others:
        yield f'"{of}" is an ablation too. {allowed}'
    elif not _may_be_one_method(suite, arm, of):
        mine, theirs = (suite.arms[name].optimizer for name in (arm, of))
        yield f'"{of}" is another optimizer ({theirs}, and this one is {mine}): an ablation is the same without a part'


def _may_be_one_method(suite: Suite, arm: str, of: str) -> bool:
    """Return whether the two may be one method; of a plug-in its author's word counts."""
    pair = suite.arms[arm], suite.arms[of]
    return any(isinstance(one, PluginSettings) for one in pair) or pair[0].optimizer == pair[1].optimizer


def _unsaid(suite: Suite, said: Mapping[str, Any]) -> Iterator[str]:
    """Yield the arms without their curvature that do not say whose ablation they are, though it may be one's here."""
    for name, arm in suite.arms.items():
        if not is_ablation(arm) or name in said:
            continue
        alike = [of for of, one in suite.arms.items() if one.optimizer == arm.optimizer and not is_ablation(one)]
        if alike:
            yield (
                f'[arms.{name}]: vectors = "off" leaves a method without its curvature: say whose ablation it is, '
                f'{ABLATION_OF} = "{alike[0]}"'
            )
