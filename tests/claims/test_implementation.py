"""Whether a baseline is within a tenth of the fastest public code, with the figure and its place."""

from dataclasses import replace

import pytest

from evabench.claims.implementation import implementation
from evabench.findings.public import PublicRatio
from evabench.settings.eva import EvaSettings
from evabench.settings.first_order import SgdSettings
from evabench.settings.kronecker import KfacSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.stats.paired import PairedRatio

BASE = KfacSettings(refresh_every=10)


def beside(*ratios, net="small", **changes):
    one = PublicRatio(
        optimizer="kfac",
        refresh_every=10,
        workload_name=net,
        ours="ours",
        public="theirs",
        ours_over_public=PairedRatio(arm_values=ratios, base_values=(1.0,) * len(ratios)),
        public_seconds=1.0,
        host="a CPU",
        is_here=True,
        is_current=True,
    )
    return replace(one, **changes)


QUICK, SLOW, OPEN = (0.99, 1.0, 1.01) * 2, (1.19, 1.2, 1.21) * 2, (1.0, 1.1, 1.2) * 2


@pytest.mark.parametrize(
    ("ratios", "answer"),
    [((QUICK,), "yes"), ((SLOW,), "no"), ((OPEN,), "unknown"), ((QUICK, SLOW), "no"), ((QUICK, OPEN), "unknown")],
)
def test_the_interval_decides_net_by_net(ratios, answer):
    found = [beside(*each, net=f"net {number}") for number, each in enumerate(ratios)]
    assert implementation(BASE, found)[0] == answer


def test_the_figure_stands_with_its_net_and_its_host():
    answer, told = implementation(BASE, [beside(*QUICK, is_here=False)])
    assert (answer, told) == (
        "yes",
        "ours 1.000x [0.982, 1.019] theirs on small (suite peers, on another host (a CPU))",
    )


def test_few_pairs_decide_nothing():
    assert implementation(BASE, [beside(2.0)]) == (
        "unknown",
        "ours 2x theirs (one pair) on small (suite peers, on this host)",
    )


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (EvaSettings(), "no public Eva could be installed"),
        (PluginSettings(name="mine:Own"), "a plug-in: the suite peers compares built-in optimizers"),
        (SgdSettings(lr=0.1, fused=False), "torch's own, but not its fused kernel"),
        (KfacSettings(refresh_every=7), "the suite peers refreshes at every 10 steps, and this base at every 7"),
    ],
)
def test_where_nothing_tells_the_answer_is_unknown_and_says_why(settings, told):
    assert implementation(settings, [beside(*QUICK)]) == ("unknown", told)


def test_without_any_run_of_peers_it_says_how_to_make_them():
    assert implementation(BASE, []) == (
        "unknown",
        "no run of the suite peers is stored: `evabench run peers` makes them",
    )
