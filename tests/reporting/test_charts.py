"""What charts hold and how pictures draw it: looks, ticks, labels, bands, profiles."""

import json
import re
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evabench.findings.costs import CostFamily, ScaledArm
from evabench.findings.work import WorkFamily, WorkingArm
from evabench.records.energy import Energy, EnergyReading
from evabench.reporting.charts.convergence import loss_chart, reached_chart
from evabench.reporting.charts.encoding import encoded
from evabench.reporting.charts.growth import cost_growth_chart, work_growth_chart
from evabench.reporting.charts.profile import profile_chart
from evabench.reporting.pictures.binary_ticks import linear_ticks, log_ticks, tick_label
from evabench.reporting.pictures.convergence import convergence_picture
from evabench.reporting.pictures.cost import step_time_picture
from evabench.reporting.pictures.growth import cost_growth_picture
from evabench.reporting.pictures.lines import MOST_TOGETHER, spread
from evabench.reporting.pictures.styles import arm_looks, dash_of, marker_of
from evabench.settings.eva import EvaSettings
from evabench.stats.best_of import expected_best
from evabench.stats.performance_profile import performance_profile
from evabench.stats.trimmed import TrimmedMean
from tests import runs as made
from tests.reporting.reports import HOSTILE, hostile_document, make_report, report, suite

LOOKS = arm_looks(made.ARMS)


def many_arms(count):
    arms = {f"Eva {number}": EvaSettings(lr=0.1 * (number + 1)) for number in range(count)}
    runs = [
        one
        for name, settings in arms.items()
        for one in made.trainings("Eva", [12, 16], optimizer=settings)
        for one in [renamed(one, name)]
    ]
    (workload,) = make_report(suite(arms=arms), runs).workloads
    return convergence_picture(workload, arm_looks(arms))


def renamed(run, arm):
    return replace(run, key=f"{arm} {run.key}", cell=replace(run.cell, arm=arm))


def test_no_two_of_32_arms_of_a_family_have_dash_and_marker_in_common():
    looks = arm_looks({str(number): EvaSettings() for number in range(32)})
    assert len({(str(dash_of(look)), marker_of(look)) for look in looks.values()}) == 32


@given(st.integers(1, 2**44))
def test_ticks_of_bytes_are_multiples_of_a_power_of_two_with_short_labels(most):
    ticks = linear_ticks(most)
    step = ticks[1] if len(ticks) > 1 else 1
    assert step & (step - 1) == 0
    assert all(tick % step == 0 for tick in ticks)
    assert all(len(re.sub(r"[^\d]", "", tick_label(tick))) <= 5 for tick in ticks)


@given(st.integers(1, 2**30), st.integers(1, 2**14))
def test_logarithmic_ticks_of_bytes_are_powers_of_two(least, factor):
    ticks = log_ticks(least, least * factor)
    assert all(tick & (tick - 1) == 0 for tick in ticks)
    assert ticks[0] <= least
    assert ticks[-1] >= least * factor


def test_a_tick_of_bytes_reads_as_a_binary_unit():
    assert [tick_label(size) for size in (0, 512, 2**17, 3 * 2**19)] == ["0", "512 B", "128 KiB", "1.5 MiB"]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10).map(sorted))
def test_labels_keep_their_distance_and_stay_in_the_picture(heights):
    places = spread(heights, 0.07)
    assert all(b - a >= 0.07 - 1e-9 for a, b in pairwise(places))
    assert places[-1] <= 1


def test_an_arm_has_its_median_and_the_range_of_its_seeds():
    (workload,) = report().workloads
    line = next(one for one in loss_chart(workload, LOOKS).lines if one.arm == "Eva")
    assert (line.x[0], line.x[-1]) == (4, 72)
    assert (line.low[0], line.y[0], line.high[0]) == (1.0, 1.0, 1.0)
    assert line.scale == {"steps": 1.0, "seconds": pytest.approx(0.011, rel=0.02)}


def test_an_arm_whose_steps_were_not_timed_has_no_place_in_seconds():
    (workload,) = make_report(
        suite(), [*made.visits("SGD", 0.01), *made.trainings("SGD", [12]), *made.trainings("Eva", [12])]
    ).workloads
    lines = {line.arm: line for line in loss_chart(workload, LOOKS).lines}
    assert lines["SGD"].in_view("seconds") is not None
    assert lines["Eva"].in_view("seconds") is None


def test_too_few_seeds_have_no_curve_of_who_has_reached_the_target():
    (few,) = report().workloads
    enough = [*made.trainings("SGD", [20, 24, 28, 32, 36, None]), *made.trainings("Eva", [12] * 6)]
    (many,) = make_report(suite(), enough).workloads
    assert reached_chart(few, LOOKS) is None
    sgd, eva = reached_chart(many, LOOKS).lines
    assert sgd.y[-1] == pytest.approx(5 / 6)
    assert eva.y[-1] == 1


def test_beyond_eight_arms_each_has_a_picture_of_its_own():
    together, small = many_arms(MOST_TOGETHER), many_arms(MOST_TOGETHER + 1)
    assert together.svg["light"].count('id="axes_') == 1
    assert small.svg["light"].count('id="axes_') == 9
    assert "against steps," in small.title


def test_every_arm_has_its_name_at_the_end_of_its_line():
    (workload,) = report().workloads
    svg = convergence_picture(workload, LOOKS).svg["light"]
    assert all(f"<!-- {arm} -->" in svg for arm in made.ARMS)


def test_a_picture_has_the_digits_that_the_interval_supports():
    runs = [*made.visits("SGD", 0.01, 9), *made.noisy(made.visits("Eva", 0.07, 9))]
    (workload,) = make_report(suite(), runs).workloads
    assert re.search(r"<!-- 7\.\d\dx \[\d\.\d\d, 7\.\d\d\] -->", step_time_picture(workload, LOOKS).svg["light"])


@pytest.mark.parametrize("num", [1, 5])
def test_a_ratio_of_too_few_pairs_is_an_empty_mark_that_says_so(num):
    few = [*made.visits("SGD", 0.01, num), *made.visits("Eva", 0.02, num)]
    (workload,) = make_report(suite(), few).workloads
    picture = step_time_picture(workload, LOOKS)
    assert "(too few)" in picture.svg["light"]
    assert picture.chart.rows[0].low is None


def test_a_profile_counts_a_miss_as_beyond_every_factor():
    times = [{"a": 1.0, "b": 2.0}, {"a": 3.0, "b": None}, {"a": None, "b": None}]
    found = performance_profile(times, ["a", "b"])
    assert found["a"] == ((1.0, 1 / 3), (1.0, 2 / 3))
    assert found["b"] == ((2.0, 1 / 3),)


def test_a_profile_without_the_best_arm_is_another_one():
    times = [{"a": 1.0, "b": 2.0, "c": 4.0}]
    assert performance_profile(times, ["b", "c"])["b"] == ((1.0, 1.0),)


def test_a_report_has_a_profile_over_its_seeds_once_there_are_enough():
    assert profile_chart(report(), LOOKS) is None  # three seeds
    enough = [one for arm, steps in (("SGD", 40), ("Eva", 20)) for one in made.trainings(arm, [steps] * 4)]
    chart = profile_chart(make_report(suite(), enough), LOOKS)
    assert len(chart.instances) == 4
    assert {line.arm: line.y[-1] for line in chart.lines} == {"SGD": 1.0, "Eva": 1.0}


def test_the_expected_best_of_all_points_is_the_best_and_of_one_the_mean():
    found = expected_best([3.0, 1.0, 2.0])
    assert found[0] == pytest.approx(2.0)
    assert found[1] == pytest.approx((1 + 1 + 2) / 3)
    assert found[2] == 1.0


def test_the_expected_best_is_infinite_while_all_that_are_drawn_may_have_failed():
    assert [expected_best([1.0, float("inf")])[k] for k in (0, 1)] == [float("inf"), 1.0]


def test_a_chart_in_the_page_cannot_end_its_element_and_has_only_numbers():
    (workload,) = report().workloads
    chart = loss_chart(workload, LOOKS)
    text = encoded(chart).replace('"Eva"', '"</script>"')
    assert json.loads(encoded(chart))["kind"] == "lines"
    assert "<" not in encoded(chart)
    assert "</script>" in text  # the name stood where it was put, so the line above speaks of names


def test_markup_in_a_name_is_no_element_of_an_svg():
    for figure in hostile_document().figures:
        for svg in getattr(figure.part, "svg", {}).values():
            tags = {element.tag.split("}")[-1] for element in ElementTree.fromstring(svg).iter()}
            assert tags <= {
                "svg",
                "metadata",
                "RDF",
                "Work",
                "type",
                "creator",
                "Agent",
                "title",
                "format",
                "defs",
                "style",
                "g",
                "path",
                "use",
                "clipPath",
                "rect",
                "date",
            }
    assert "<script" in HOSTILE


def with_energy(runs, joules_per_step, source="gpu"):
    reading = EnergyReading(source=source, counter_joules=100 * joules_per_step, integral_joules=None)
    energy = Energy(seconds=1.0, num_steps=100, readings=(reading,), sampling=None)
    return [replace(run, measured=replace(run.measured, energy=energy)) for run in runs]


def energetic_report():
    """Return a report of two arms whose energy was read, and of one whose was not."""
    runs = [one for arm in ("SGD", "Eva", "Shampoo") for one in made.trainings(arm, [20] * 6)]
    timed = [
        *with_energy(made.visits("SGD", 0.01), 0.5),
        *with_energy(made.visits("Eva", 0.02), 2.0),
        *made.visits("Shampoo", 0.03),
    ]
    return make_report(suite(), [*runs, *timed])


def test_a_run_with_energy_has_joules_beside_steps_and_seconds_in_chart_and_picture():
    (workload,) = energetic_report().workloads
    chart = loss_chart(workload, LOOKS)
    assert [view.name for view in chart.views] == ["steps", "seconds", "joules"]
    lines = {line.arm: line for line in chart.lines}
    assert (lines["SGD"].in_view("joules"), lines["Eva"].in_view("joules")) == (0.5, 2.0)
    assert lines["Shampoo"].in_view("joules") is None
    assert [view.name for view in reached_chart(workload, LOOKS).views] == ["steps", "seconds", "joules"]
    picture = convergence_picture(workload, LOOKS)
    assert picture.title.startswith("Validation loss against steps, seconds and joules")
    assert "<!-- steps x energy of a step -->" in picture.svg["light"]


def test_energy_of_cpu_and_gpu_is_drawn_as_their_sum():
    both = (
        EnergyReading(source="gpu", counter_joules=100.0, integral_joules=None),
        EnergyReading(source="cpu", counter_joules=None, integral_joules=50.0),
    )
    energy = Energy(seconds=1.0, num_steps=100, readings=both, sampling=None)
    visits = [replace(run, measured=replace(run.measured, energy=energy)) for run in made.visits("SGD", 0.01)]
    (workload,) = make_report(suite(), [*visits, *made.trainings("SGD", [20])]).workloads
    (line,) = loss_chart(workload, LOOKS).lines
    assert line.in_view("joules") == pytest.approx(1.5)


def test_what_grows_with_the_width_is_drawn_with_its_interval_as_far_as_a_logarithm_goes():
    costs = {d: TrimmedMean(num_values=8, estimate=1e-5 * d, standard_error=1e-5, degrees_of_freedom=7) for d in (1, 8)}
    family = CostFamily(name="layers", arms=(ScaledArm(arm="Eva", base="SGD", optimizer=EvaSettings(), costs=costs),))
    (line,) = cost_growth_chart(family, LOOKS).lines
    assert (line.x, line.y) == ((1.0, 8.0), (1e-5, 8e-5))
    assert line.low[0] == pytest.approx(0.8e-5)  # its interval goes below 0
    assert line.low[1] < 8e-5 < line.high[1] == pytest.approx(1e-4)
    assert "Eva 80.0 us at d = 8" in cost_growth_picture(family, LOOKS).alt


def test_counted_work_is_a_line_without_a_band_and_one_width_is_none():
    arms = [WorkingArm(arm=name, optimizer=EvaSettings(), flops=flops) for name, flops in WORKED.items()]
    (line,) = work_growth_chart(WorkFamily(name="layers", arms=tuple(arms)), LOOKS).lines
    assert (line.arm, line.x, line.y, line.band_x) == ("Eva", (8.0, 16.0), (64.0, 256.0), ())


def test_counted_work_is_that_of_a_step_so_that_arms_of_two_cycles_compare():
    every, tenth = (
        WorkingArm(arm="K-FAC", optimizer=EvaSettings(), cycle_steps=steps, flops={8: 100 * steps, 16: 800 * steps})
        for steps in (1, 10)
    )
    families = [WorkFamily(name="layers", arms=(arm,)) for arm in (every, tenth)]
    first, second = (work_growth_chart(family, {"K-FAC": LOOKS["Eva"]}) for family in families)
    assert first.lines == second.lines


WORKED = {"Eva": {16: 256, 8: 64}, "SGD": {8: 0, 16: 0}, "K-FAC@1": {8: 512}}
