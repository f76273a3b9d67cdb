"""Ours beside public implementations: the same method and interval, the same sweeps, one host, one code."""

from dataclasses import replace

import pytest

from evabench.findings.public import PUBLIC, fastest_public, public_ratios
from evabench.settings.kronecker import KfacSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.shampoo import ShampooSettings
from evabench.suite.reading import load_suite
from tests.runs import HOST, visits

OURS = KfacSettings(refresh_every=10, weight_sharing="expand", clip="none")
THEIRS = PluginSettings(name="evabench.peers.asdl:KFAC", refresh_every=10)


def timed(name, settings, seconds, **where):
    return visits(name, seconds, optimizer=settings, **where)


def ratios(*runs, host_id=HOST.id, is_current=lambda run: True):
    return public_ratios([run for each in runs for run in each], host_id=host_id, is_current=is_current)


def test_ours_is_compared_with_a_public_code_of_the_same_mathematics_and_interval():
    (found,) = ratios(
        timed("ours", OURS, 0.02),
        timed("reduce", replace(OURS, weight_sharing="reduce"), 0.01),
        timed("ours@1", replace(OURS, refresh_every=1), 0.04),
        timed("ASDL", THEIRS, 0.016),
    )
    assert (found.ours, found.public, found.optimizer, found.refresh_every) == ("ours", "ASDL", "kfac", 10)
    assert found.ours_over_public.estimate == pytest.approx(1.25)
    assert found.where == "on this host"


def test_another_host_is_never_told_as_this_one():
    (found,) = ratios(timed("ours", OURS, 0.02), timed("ASDL", THEIRS, 0.016), host_id="another")
    assert found.where == "on another host (a plain CPU)"


def test_runs_of_older_code_say_so():
    (found,) = ratios(
        timed("ours", OURS, 0.02), timed("ASDL", THEIRS, 0.016), is_current=lambda run: run.cell.arm == "ASDL"
    )
    assert found.where == "on this host, by older code"


def test_two_hosts_and_two_codes_are_not_pooled():
    pair = [*timed("ours", OURS, 0.02), *timed("ASDL", THEIRS, 0.016)]
    there = [replace(run, host=replace(HOST, num_cpus=64)) for run in pair]
    newer = [replace(run, code=replace(run.code, hashes={"shared": "new"})) for run in timed("ours", OURS, 0.01)]
    found = ratios(pair, newer, there)
    assert [(one.is_here, round(one.ours_over_public.estimate, 3)) for one in found] == [(True, 0.625), (False, 1.25)]


def test_the_fastest_public_one_counts_on_each_net_and_this_host_goes_first():
    block = ShampooSettings(grafting="sgd", block_size=512, refresh_every=10)
    plain = ShampooSettings(grafting="none", momentum=0.0, merge_up_to=1, refresh_every=10)
    slow = PluginSettings(name="evabench.peers.pytorch_optimizer:shampoo", refresh_every=10)
    fast = PluginSettings(name="evabench.peers.pytorch_optimizer:scalable_shampoo", refresh_every=10)
    here = [
        *timed("blocks", block, 0.02),
        *timed("plain", plain, 0.02),
        *timed("slow", slow, 0.05),
        *timed("fast", fast, 0.04),
    ]
    there = [replace(run, host=replace(HOST, num_cpus=64)) for run in timed("plain", plain, 1.0)]
    found = fastest_public(ratios(here, there), ShampooSettings(refresh_every=10))
    assert [(one.ours, one.public, one.is_here) for one in found] == [("blocks", "fast", True)]
    assert fastest_public(ratios(here), ShampooSettings(refresh_every=7)) == ()


def test_the_suite_peers_has_ours_of_every_method_at_every_interval():
    arms = load_suite("peers").arms
    theirs = [one for one in arms.values() if isinstance(one, PluginSettings) and one.name in PUBLIC]
    assert {one.name for one in theirs} == set(PUBLIC)
    assert len(ratios(*(timed(name, one, 0.01) for name, one in arms.items()))) == len(theirs)
