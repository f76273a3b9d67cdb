"""Runs from anywhere are those of a suite where their arms have its settings, and not just the names of its arms."""

from dataclasses import replace

import pytest

from evabench.errors import StoreError
from evabench.reporting.run_sets import run_sets
from evabench.store.files import RunStore
from tests import runs as made
from tests.reporting.reports import suite


def stored(folder, *runs):
    RunStore(folder / "runs.jsonl").append(runs)
    return [folder / "runs.jsonl"]


def edited(run):
    return replace(run, cell=replace(run.cell, optimizer=replace(run.cell.optimizer, lr=0.77)))


def test_runs_with_other_settings_than_the_suites_are_left_out_and_said_to_be(tmp_path):
    places = stored(tmp_path, *made.trainings("SGD", [20]), *map(edited, made.trainings("Eva", [20, 24])))
    (found,) = run_sets(suite(), places)
    assert {run.cell.arm for run in found.runs} == {"SGD"}
    (note,) = found.notes
    assert note.endswith(
        "2 runs with other settings than the suite has under that name are not used: Eva on autoencoder."
    )


def test_a_file_of_other_settings_alone_has_no_run_of_the_suite(tmp_path):
    places = stored(tmp_path, *map(edited, made.trainings("Eva", [20])))
    with pytest.raises(StoreError, match="no run of a workload and an arm of made-up, with its settings"):
        run_sets(suite(), places)
