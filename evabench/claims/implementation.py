"""Whether a baseline is implemented well: within a tenth of the fastest public code, from stored runs of `peers`.

The nets of `peers` are not that of the verdict, and its runs may be another host's: the answer says both. It is *yes*
where the interval of ours over the fastest public one lies below 1.1 on every net, *no* where it lies above on one.
"""

from collections.abc import Sequence
from typing import Literal

from evabench.findings.public import PUBLIC_OPTIMIZERS, PublicRatio, fastest_public
from evabench.settings.first_order import AdamWSettings, SgdSettings
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.units import format_ratio

Answer = Literal["yes", "no", "unknown"]

WITHIN = 1.1
MIN_PAIRS = 6  # fewer decide nothing, as in a verdict


def implementation(settings: OptimizerSettings, public: Sequence[PublicRatio]) -> tuple[Answer, str]:
    """Return the answer for a base with these settings, and what it rests on."""
    if isinstance(settings, SgdSettings | AdamWSettings):
        if settings.fused:
            return "yes", "torch's own, in one fused kernel"
        return "unknown", "torch's own, but not its fused kernel"
    if isinstance(settings, PluginSettings):
        return "unknown", "a plug-in: the suite peers compares built-in optimizers"
    if settings.optimizer not in PUBLIC_OPTIMIZERS:
        return "unknown", f"no public {settings.title} could be installed"
    found = fastest_public(public, settings)
    if not found:
        return "unknown", _nothing(settings, public)
    told = "; ".join(f"{_figure(one)} on {one.workload_name}" for one in found)
    return _answer(found), f"{told} (suite peers, {found[0].where})"


def _answer(found: Sequence[PublicRatio]) -> Answer:
    decided = [one.ours_over_public for one in found if one.ours_over_public.num_pairs >= MIN_PAIRS]
    if any(ratio.low > WITHIN for ratio in decided):
        return "no"
    return "yes" if len(decided) == len(found) and all(ratio.high <= WITHIN for ratio in decided) else "unknown"


def _figure(one: PublicRatio) -> str:
    ratio = one.ours_over_public
    if ratio.num_pairs < MIN_PAIRS:
        pairs = "one pair" if ratio.num_pairs == 1 else f"{ratio.num_pairs} pairs"
        return f"{one.ours} {ratio.estimate:.2g}x {one.public} ({pairs})"
    return f"{one.ours} {format_ratio(ratio.estimate, ratio.low, ratio.high)} {one.public}"


def _nothing(settings: OptimizerSettings, public: Sequence[PublicRatio]) -> str:
    """Return why stored runs do not tell."""
    intervals = sorted({one.refresh_every for one in public if one.optimizer == settings.optimizer})
    if not intervals:
        return "no run of the suite peers is stored: `evabench run peers` makes them"
    told = " and ".join(map(str, intervals))
    return f"the suite peers refreshes at every {told} steps, and this base at every {settings.cycle_steps}"
