"""Stored runs as frames: one row per number, ratios and curves as in the reports."""

import math
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import evabench
from evabench.errors import StoreError
from evabench.export.frames import ALIASES, COLUMNS
from evabench.stats.order_statistics import median_interval
from evabench.stats.paired import paired_ratio
from evabench.store.files import RunStore
from tests.runs import BUDGET, EVERY, failed, training, trainings, visits

DOCS = Path(__file__).parents[2] / "docs" / "results.md"


@pytest.fixture
def stored(tmp_path):
    def store(*runs):
        RunStore(tmp_path / "results" / "suite" / "host" / "runs.jsonl").append(runs)
        return tmp_path / "results"

    return store


def test_a_frame_has_one_row_per_number_and_the_columns_that_the_docs_list(stored):
    frame = evabench.load(stored(*visits("SGD", 0.01, num=2)))
    assert list(frame.columns) == list(COLUMNS)
    assert not frame.duplicated(["key", "metric", "step"]).any()
    for name, meaning in COLUMNS.items():
        assert f"| `{name}` | {meaning} |" in DOCS.read_text()


def test_a_number_has_its_unit_and_the_file_it_comes_from(stored):
    place = stored(*visits("SGD", 0.01, num=1))
    frame = evabench.load(place)
    row = frame[(frame["metric"] == "amortised_seconds") & frame["counts"]].iloc[0]
    assert row["value"] == pytest.approx(0.0101)
    assert (row["unit"], row["arm"], row["kind"], row["sweep"]) == ("s", "SGD", "step_time", 1)
    assert Path(row["file"]).is_relative_to(place)


def test_raw_samples_come_only_when_asked_for(stored):
    place = stored(*visits("SGD", 0.01, num=1))
    assert "step_seconds" not in set(evabench.load(place)["metric"])
    steps = evabench.load(place, raw=True).query("metric == 'step_seconds' and sweep == 1")
    assert list(steps["step"]) == list(range(30))


def test_the_pilot_and_runs_of_another_role_are_there_and_do_not_count_in_a_ratio(stored):
    tuning = [
        replace(run, key=f"t{run.key}", cell=replace(run.cell, role="tuning")) for run in trainings("Eva", [8, 8])
    ]
    frame = evabench.load(stored(*visits("SGD", 0.01), *visits("Eva", 0.02), *trainings("SGD", [8, 8]), *tuning))
    assert not frame[frame["sweep"] == 0]["counts"].any()
    assert set(frame["role"]) == {"judged", "tuning"}
    with pytest.raises(ValueError, match="arms that have 'final_loss' are SGD"):
        evabench.ratios(frame, "final_loss", to="Eva")


def test_ratios_are_those_of_the_report(stored):
    sgd, eva = visits("SGD", 0.01), visits("Eva", 0.02)
    ratios = evabench.ratios(evabench.load(stored(*sgd, *eva)), "step", to="SGD")
    seconds = [{run.visit.sweep: run.measured.amortised_seconds for run in arm[1:]} for arm in (eva, sgd)]
    expected = paired_ratio(*seconds)
    assert len(ratios) == 1
    row = ratios.iloc[0]
    assert (row["arm"], row["to"], row["num_pairs"]) == ("Eva", "SGD", 7)
    assert (row["ratio"], row["low"], row["high"]) == pytest.approx((expected.estimate, expected.low, expected.high))


def test_runs_of_two_codes_are_not_pooled_but_named(stored):
    newer = [
        replace(run, key=f"n{run.key}", code=replace(run.code, hashes={"shared": "new"})) for run in visits("Eva", 0.03)
    ]
    frame = evabench.load(stored(*visits("SGD", 0.01), *visits("Eva", 0.02), *newer))
    with pytest.raises(ValueError, match=r"Eva has runs of 2 codes here .* never pooled\. Choose one: frame\["):
        evabench.ratios(frame, "step", to="SGD")


def test_runs_of_two_hosts_are_two_rows(stored):
    def there(run):
        return replace(run, key=f"x{run.key}", host=replace(run.host, num_cpus=64))

    runs = [*visits("SGD", 0.01), *visits("Eva", 0.02)]
    ratios = evabench.ratios(evabench.load(stored(*runs, *map(there, runs))), "step", to="SGD")
    assert len(ratios) == 2
    assert ratios["host"].nunique() == 2


def test_one_pair_has_no_interval(stored):
    frame = evabench.load(stored(*visits("SGD", 0.01, num=1), *visits("Eva", 0.02, num=1)))
    row = evabench.ratios(frame, "step", to="SGD").iloc[0]
    assert row["ratio"] == pytest.approx(2)
    assert math.isnan(row["low"])
    assert math.isnan(row["high"])


def test_a_metric_that_nobody_has_is_refused_with_what_there_is(stored):
    frame = evabench.load(stored(*visits("SGD", 0.01)))
    with pytest.raises(ValueError, match="metric must be one of step"):
        evabench.ratios(frame, "speed", to="SGD")
    with pytest.raises(ValueError, match=r"there is: .*step_time/amortised_seconds"):
        evabench.ratios(frame, "peak", to="SGD")


def test_every_alias_names_a_number_of_a_record(stored):
    docs = DOCS.read_text()
    for name, (kind, metric) in ALIASES.items():
        assert f"| `{name}` | `{kind}/{metric}` |" in docs


def test_a_curve_is_the_median_over_seeds_with_its_interval(stored):
    steps = [8, 16, 24, 32, 40, 48]
    curves = evabench.curves(evabench.load(stored(*trainings("Eva", steps))))
    assert list(curves["step"]) == list(range(EVERY, BUDGET + 1, EVERY))
    at_24 = curves[curves["step"] == 24].iloc[0]
    values = [0.5, 0.5, 0.5, 1.0, 1.0, 1.0]
    assert at_24["median"] == 0.75
    assert (at_24["low"], at_24["high"]) == (median_interval(values).low, median_interval(values).high)
    assert at_24["num_seeds"] == 6


def test_a_run_without_a_number_has_a_row_with_its_outcome(stored):
    frame = evabench.load(stored(failed(training("Eva", 1, None), "crashed")))
    assert list(frame["outcome"]) == ["crashed"]
    assert list(frame["metric"]) == [""]
    assert frame["value"].isna().all()


def test_a_place_without_runs_is_refused_with_what_is_missing(tmp_path):
    with pytest.raises(StoreError, match=r"nowhere: there is no such file or folder"):
        evabench.load(tmp_path / "nowhere")
    with pytest.raises(StoreError, match=r"no file of runs in this folder"):
        evabench.load(tmp_path)


def test_the_reference_runs_of_older_formats_load():
    frame = evabench.load(Path(__file__).parents[2] / "results" / "reference" / "memory")
    assert isinstance(frame, pd.DataFrame)
    peaks = evabench.ratios(frame, "peak", to="SGD")
    assert (peaks["num_pairs"] == 1).all()


def test_the_package_does_not_import_pandas_until_it_is_asked(run_python):
    assert run_python("import sys, evabench; print('pandas' in sys.modules)") == "False"


def test_an_unknown_name_of_the_package_is_an_attribute_error():
    with pytest.raises(AttributeError, match=re.escape("has no attribute 'laod'")):
        _ = evabench.laod
