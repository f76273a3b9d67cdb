"""Committed runs make the same report, figure by figure; `python -m tests.reporting.golden` where a change is meant."""

import json
from dataclasses import replace

import pytest

from evabench.records.step_time import StepTime
from evabench.store.files import RunStore
from tests.reporting.golden import EXPECTED, RUNS, differences, golden_report, plain, report_data


@pytest.fixture(scope="module")
def expected():
    return json.loads(EXPECTED.read_text(encoding="utf-8"))


def test_committed_runs_make_the_report_that_is_committed(expected):
    assert list(differences(expected, plain(report_data(golden_report())))) == []


def test_a_figure_that_is_edited_in_the_file_is_found(expected):
    cost = expected["tables"]["cost.mlp"]
    edited = json.loads(json.dumps(expected))
    edited["tables"]["cost.mlp"][2][1] = "1.00 ms"
    assert list(differences(expected, edited)) == [f"/tables/cost.mlp/2/1: {cost[2][1]!r} is now '1.00 ms'"]
    edited = json.loads(json.dumps(expected))
    edited["answer"]["arms"][1]["step_ratio"] *= 1.001
    assert len(list(differences(expected, edited))) == 1


def test_runs_that_took_other_time_make_another_report(expected, tmp_path):
    slower = [
        replace(run, measured=replace(run.measured, block_seconds=tuple(2 * one for one in run.measured.block_seconds)))
        if isinstance(run.measured, StepTime) and run.cell.arm == "Eva"
        else run
        for run in RunStore(RUNS).load()
    ]
    RunStore(tmp_path / "runs.jsonl").append(slower)
    found = list(differences(expected, plain(report_data(golden_report(tmp_path / "runs.jsonl")))))
    assert any(one.startswith("/tables/cost.mlp") for one in found)
    assert any(one.startswith("/answer/arms/1/step_ratio") for one in found)


def test_every_kind_of_figure_is_in_it(expected):
    kinds = {chart["kind"] for chart in expected["charts"].values()}
    assert kinds == {"lines", "rows", "bars"}
    assert {"cost.mlp", "losses.mlp", "memory-table.mlp", "phases-table.mlp", "reached-table.mlp"} <= set(
        expected["tables"]
    )
    assert {one["id"] for one in expected["answer"]["judgements"]} == {"sooner", "cheaper"}
