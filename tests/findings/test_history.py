"""Change points of stored step times: planted shifts of 10 % in a recorded series are found, none in quiet ones."""

import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest

from evabench.findings.history import MIN_POINTS, step_histories
from evabench.records.step_time import StepTime
from evabench.stats.change_points import change_points
from evabench.store.files import RunStore
from tests.runs import ENVIRONMENT, visits

REFERENCE = Path(__file__).parents[2] / "results/reference"


def of_code(run, number, slower=1.0):
    """The visit as one of its own code, so much slower."""
    times = replace(run.measured, block_seconds=tuple(slower * one for one in run.measured.block_seconds))
    code = replace(run.code, commit=f"{number:02d}" * 20, hashes={"shared": str(number)})
    return replace(run, key=f"{run.key}-{number}", code=code, measured=times, started=f"2026-01-01T00:{number:02d}:00Z")


@pytest.fixture(scope="module")
def recorded():
    """The visits of three arms on eight widths, in the order in which they were made on two shared cores."""
    return [json.loads(line) for line in (REFERENCE / "step-series/visits.jsonl").read_text().splitlines()]


def test_no_quiet_recorded_series_has_a_change_point(recorded):
    runs = [
        of_code(visits(one["arm"], one["seconds"] / 1.01, num=1, name=one["workload"])[1], one["sweep"])
        for one in recorded
    ]
    stored = [run for run in RunStore(REFERENCE / "scaling/runs.jsonl").load() if isinstance(run.measured, StepTime)]
    runs += [of_code(run, run.visit.sweep) for run in stored if run.visit.sweep > 0]
    series = step_histories(runs)
    assert len(series) == 24 + 30
    assert {len(one.points) for one in series} == {16}
    assert [one.title for one in series if one.shifts] == []


@pytest.mark.parametrize("place", [20, 40, 64, 90, 110])
def test_ten_per_cent_planted_in_a_recorded_series_are_found_where_they_are(recorded, place):
    visited = [(one["workload"], one["seconds"]) for one in recorded if one["arm"] == "K-FAC@1"]
    by_width = defaultdict(list)
    for width, seconds in visited:
        by_width[width].append(seconds)
    relative = [seconds / median(by_width[width]) for width, seconds in visited]
    assert change_points(relative) == ()
    (found,) = change_points([1.1 * one if number >= place else one for number, one in enumerate(relative)])
    assert abs(found.place - place) <= 1
    assert found.shift == pytest.approx(0.1, abs=0.02)


def history(arm, seconds, **where):
    return [of_code(visits(arm, one, num=1, **where)[1], number) for number, one in enumerate(seconds)]


SLOWER = [0.01, 0.0101, 0.0099, 0.0100, 0.0101, 0.0111, 0.0110, 0.0112, 0.0111, 0.0110]


def test_a_shift_names_the_code_that_it_begins_with_and_the_one_before():
    (series,) = step_histories(history("Eva", SLOWER))
    (shift,) = series.shifts
    assert (shift.before, shift.code) == ("040404040", "050505050")
    assert shift.shift == pytest.approx(0.1, abs=0.02)
    assert not shift.of_sgd_too


def test_a_shift_of_sgd_at_the_same_code_points_at_the_machine():
    eva, sgd = step_histories([*history("Eva", SLOWER), *history("SGD", SLOWER)])
    assert eva.shifts[0].of_sgd_too
    assert not sgd.shifts[0].of_sgd_too


def test_a_point_is_the_median_of_the_visits_of_one_code_without_its_pilot():
    (series,) = step_histories(visits("Eva", 0.01, num=7))
    (point,) = series.points
    assert point.seconds == pytest.approx(0.0101)
    assert point.num_visits == 7
    assert not series.is_long_enough


def test_versions_of_torch_are_series_of_their_own():
    newer = [replace(run, environment=replace(ENVIRONMENT, torch="9.9")) for run in history("Eva", SLOWER[5:])]
    assert [len(one.points) for one in step_histories([*history("Eva", SLOWER[:5]), *newer])] == [5, 5]


def test_two_lone_slow_points_are_no_shift():
    assert change_points([0.01, 0.0101, 0.0099, 0.02, 0.02, 0.01, 0.0101, 0.0099, 0.01, 0.01]) == ()
    assert change_points(SLOWER[: MIN_POINTS - 1]) == ()
