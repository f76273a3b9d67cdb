"""Runs of the suite `peers` that an audit rests on: a user's own, those of other hosts, and the committed ones."""

import pytest

from evabench.cli.peers import stored_public
from evabench.findings.public import fastest_public
from evabench.settings.kronecker import KfacSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.store.files import RunStore
from evabench.suite.reading import load_suite
from tests.runs import HOST, visits

BASE = KfacSettings(refresh_every=10)
OURS = KfacSettings(refresh_every=10, weight_sharing="expand", clip="none")
THEIRS = PluginSettings(name="evabench.peers.asdl:KFAC", refresh_every=10)
QUICKSTART = load_suite("quickstart")


def test_without_runs_of_ones_own_the_committed_ones_tell_and_say_that_they_are_of_another_host(tmp_path):
    found = fastest_public(stored_public(QUICKSTART, tmp_path, HOST.id), BASE)
    assert {one.workload_name for one in found} == {"autoencoder-half", "resnet20-half"}
    assert {one.public for one in found} == {"ASDL K-FAC@10"}
    assert all(one.where.startswith("on another host (AMD EPYC)") for one in found)


def test_runs_of_this_host_go_before_all_others(tmp_path):
    runs = [*visits("ours", 0.02, optimizer=OURS), *visits("ASDL", 0.016, optimizer=THEIRS)]
    RunStore(tmp_path / "peers" / HOST.id / "runs.jsonl").append(runs)
    (found,) = fastest_public(stored_public(QUICKSTART, tmp_path, HOST.id), BASE)
    assert found.where == "on this host, by older code"
    assert found.ours_over_public.estimate == pytest.approx(1.25)


def test_a_file_that_is_none_is_passed_over(tmp_path):
    path = tmp_path / "peers" / "there" / "runs.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("no runs\n")
    assert fastest_public(stored_public(QUICKSTART, tmp_path, HOST.id), BASE)


def test_nothing_is_read_where_no_base_has_a_public_counterpart(tmp_path):
    assert stored_public(load_suite("memory"), tmp_path, HOST.id) == ()


def test_a_report_of_one_file_rests_on_no_runs_that_happen_to_lie_about(tmp_path, monkeypatch):
    runs = [*visits("ours", 0.02, optimizer=OURS), *visits("ASDL", 0.016, optimizer=THEIRS)]
    RunStore(tmp_path / "results" / "peers" / HOST.id / "runs.jsonl").append(runs)
    monkeypatch.chdir(tmp_path)
    assert {one.is_here for one in stored_public(QUICKSTART, None, HOST.id)} == {False}
