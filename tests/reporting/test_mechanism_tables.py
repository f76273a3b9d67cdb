"""Probes and rates of made-up runs as tables and pictures."""

import re

import pytest

from evabench.records.measurement import MechanismSettings, RateSettings, ViewSettings
from evabench.records.mechanism import (
    Approximation,
    FactorEnergy,
    LayerDirections,
    LayerEnergy,
    Mechanism,
    MechanismProbe,
    View,
)
from evabench.records.rate import Rate, RateTrial
from evabench.reporting.first_screen import first_screen
from evabench.reporting.pictures.mechanism import directions_picture, rate_picture, shares_picture
from evabench.reporting.pictures.styles import arm_looks
from evabench.reporting.sections import sections
from evabench.reporting.tables.mechanism import METHODS, directions_table, shares_table, step_length_table, term_table
from evabench.reporting.tables.rate import rate_table
from evabench.settings.quadratics import QuadraticSettings
from tests import runs as made
from tests.reporting.reports import make_report, suite

VIEWS = (ViewSettings(name="authors'"), ViewSettings(name="<b>weak</b>", damping=1e-6))


def factor(mean, rows="expand"):
    return FactorEnergy(rows=rows, size=3, mean_share=mean, along_share=None, top_share=0.9)


def approximation(cosine):
    return Approximation(to_exact=cosine, to_gradient=1.0, exact_to_gradient=None, changed=0.125)


def view(settings, cosine):
    layer = LayerDirections(
        eva=approximation(cosine),
        eva_f=approximation(cosine),
        eva_s=approximation(cosine),
        eva_curvature=1e-32,
        eva_f_curvature=250.0,
        eva_s_curvature=0.0,
    )
    wide = {"eva": approximation(cosine), "eva_f": approximation(0.5), "eva_s": approximation(0.25)}
    second = LayerDirections(
        **{name: approximation(cosine) for name in wide}, eva_curvature=2.0, eva_f_curvature=None, eva_s_curvature=None
    )
    return View(name=settings.name, layers=(layer, second), **wide, kl_size=0.1, clip_factor=0.1, step_gain=3.3)


def probe(step, mean, *, positions=False):
    factors = (factor(mean), factor(0.75, "reduce")) if positions else (factor(mean),)
    layers = tuple(
        LayerEnergy(name=name, kind="Linear", inputs=factors, output_gradients=factors) for name in ("in", "out")
    )
    return MechanismProbe(step=step, loss=1.0, layers=layers, views=tuple(view(settings, mean) for settings in VIEWS))


def probed(arm, seed, *probes):
    record = Mechanism(probes=probes, layers_left_out=())
    return made.run(arm, MechanismSettings(probe_at=(0, 5), views=VIEWS), record, seed=seed)


def workload(*runs, **changes):
    (only,) = make_report(suite(**changes), runs).workloads
    return only


@pytest.fixture
def three_seeds():
    means = (0.2, 0.3, 0.6)
    return workload(
        *(
            probed(arm, seed, probe(0, mean), probe(5, mean))
            for arm in ("SGD", "Eva")
            for seed, mean in enumerate(means)
        )
    )


def cells(table, *first):
    (row,) = [row for row in table.rows if row[: len(first)] == first]
    return dict(zip(table.headings, row, strict=True))


def test_a_cell_is_the_median_between_the_ends_of_the_seeds(three_seeds):
    row = cells(shares_table(three_seeds, "inputs"), "5 steps of Eva", "samples")
    assert row["mean"] == "0.3 [0.2, 0.6]"
    assert row["best"] == "0.9"
    assert row["along"] == "-"


def test_the_start_is_told_once_since_all_arms_share_it(three_seeds):
    assert [row[0] for row in shares_table(three_seeds, "inputs").rows] == ["start", "5 steps of SGD", "5 steps of Eva"]


def test_a_suite_that_only_probes_answers_with_what_its_picture_shows():
    report = make_report(suite(), [probed("Eva", seed, probe(0, 0.2), probe(5, 0.3)) for seed in range(3)])
    found = first_screen(report, sections(report))
    held = "30% of the inputs' and 30% of the output gradients'"
    assert found.answer == f"The mean holds {held} factors, from layer to layer (5 steps of Eva)."
    assert found.behind.startswith("The best direction holds 90% of the inputs' and 90% of the output gradients'.")


def test_both_kinds_of_rows_are_told_where_they_differ():
    net = workload(probed("Eva", 0, probe(0, 0.25, positions=True)))
    table = shares_table(net, "inputs")
    assert cells(table, "start", "samples")["mean"] == "0.75"
    assert cells(table, "start", "positions")["mean"] == "0.25"
    assert shares_picture(net).alt.startswith("The mean holds 75% of the inputs'")


def test_directions_have_a_row_for_each_view_and_model(three_seeds):
    table = directions_table(three_seeds, METHODS[0])
    assert table.headings[2:5] == ("Eva, K-FAC", "Eva, gradient", "K-FAC, gradient")
    row = cells(table, "authors'", "5 steps of Eva")
    assert row["Eva, K-FAC"] == "0.3 [0.2, 0.6]"
    assert row["K-FAC, gradient"] == "-"
    row = cells(term_table(three_seeds, METHODS[0]), "authors'", "5 steps of Eva")
    assert row["changed"] == "0.125"
    assert row["curvature / damping"] == "< 1e-15 to 2"
    assert cells(term_table(three_seeds, METHODS[1]), "<b>weak</b>", "start")["curvature / damping"] == "250 to 250"


def test_the_length_of_a_step_is_told_with_its_learning_rate(three_seeds):
    table = step_length_table(three_seeds)
    assert cells(table, "authors'", "start")["clip factor"] == "0.1"
    assert "at lr 0.1; above 0.001" in table.note


def test_a_probe_without_a_finite_loss_is_left_out():
    lost = MechanismProbe(step=5, loss=None, layers=(), views=())
    net = workload(probed("Eva", 0, probe(0, 0.25), lost))
    assert [row[0] for row in shares_table(net, "inputs").rows] == ["start"]


def test_pictures_are_of_the_last_probe_of_eva_and_say_so(three_seeds):
    assert shares_picture(three_seeds).title.endswith("5 steps of Eva")
    picture = directions_picture(three_seeds)
    assert "Eva and K-FAC 0.30 in the view authors'" in picture.alt
    assert set(picture.svg) == {"light", "dark"}
    assert "<b>" not in picture.svg["light"]


def test_without_probes_and_rates_there_is_nothing_to_show():
    net = workload(made.training("Eva", 0, 20))
    assert shares_table(net, "inputs") is None
    assert step_length_table(net) is None
    assert rate_table(net) is None
    assert all(directions_table(net, method) is None for method in METHODS)
    assert (shares_picture(net), directions_picture(net), rate_picture(net, arm_looks(made.ARMS))) == (None, None, None)


QUADRATIC = QuadraticSettings(condition=100.0)


def rates(arm, rho, seeds=6):
    steps = tuple(range(0, 101, 10))
    for seed in range(seeds):
        share = rho + seed / 1e4
        trials = [
            RateTrial(multiple=multiple, steps=steps, excess=tuple(base ** (2 * step) for step in steps))
            for multiple, base in ((0.3, (1 + share) / 2), (1.0, share), (3.0, 1.2))
        ]
        record = Rate(unit_lr=2.0, trials=tuple(trials))
        settings = RateSettings(multiples=(0.3, 1.0, 3.0), steps=100)
        yield made.run(arm, settings, record, seed=seed, net=QUADRATIC)


def test_a_rate_comes_with_its_interval_its_learning_rate_and_how_many_were_tried():
    net = workload(*rates("SGD", 0.98), *rates("Eva", 1.1), workloads={"autoencoder": QUADRATIC})
    table = rate_table(net)
    row = cells(table, "SGD")
    assert row["a step multiplies the distance by"] == "0.9802 [0.9800, 0.9805]"
    assert (row["learning rate"], row["tried"]) == ("1", "3")
    assert cells(table, "Eva")["learning rate"] == "none at which the loss fell in every seed"
    assert "at its best: 0.9802, 57.6 steps" in table.note
    picture = rate_picture(net, arm_looks(made.ARMS))
    assert re.search(r"57\.\d* with SGD", picture.alt)
    (drawn,) = picture.chart.rows
    assert drawn.low < drawn.estimate < drawn.high


def test_of_many_rates_the_ends_and_those_of_the_first_arm_and_eva_come_first():
    of_arms = {"SGD": 0.98, "Eva": 0.97, "K-FAC@1": 0.5, "Shampoo": 0.99}
    net = workload(
        *[run for arm, rho in of_arms.items() for run in rates(arm, rho)], workloads={"autoencoder": QUADRATIC}
    )
    first, behind = rate_picture(net, arm_looks(made.ARMS)).alt.split(". Of all: ")
    found = re.findall(r"(fewest, |most, )?[\d.]+ with ([\w@-]+)", first)
    assert found == [("fewest, ", "K-FAC@1"), ("most, ", "Shampoo"), ("", "SGD"), ("", "Eva")]
    assert len(re.findall(r"[\d.]+ with", behind)) == 4


def test_a_section_has_these_tables_and_no_table_of_costs_that_nobody_measured():
    report = make_report(
        suite(workloads={"autoencoder": QUADRATIC}, memory=None, convergence=None), list(rates("SGD", 0.98))
    )
    titles = [part.title for part in sections(report)[0].parts]
    assert "Rate of convergence at the best learning rate" in titles
    assert "Cost of a step" not in titles


def test_the_pictures_of_probes_have_their_numbers_beside_them_for_a_switch_and_a_hover(three_seeds):
    shares, cosines = shares_picture(three_seeds).chart, directions_picture(three_seeds).chart
    assert [view.name for view in shares.views] == ["inputs", "output gradients"]
    mean = next(line for line in shares.lines if line.arm == "mean" and line.in_view("inputs"))
    assert (mean.x, mean.y, mean.low, mean.high) == ((1.0, 2.0), (0.3, 0.3), (0.2, 0.2), (0.6, 0.6))
    assert [view.name for view in cosines.views] == ["Eva for K-FAC", "Eva-f for FOOF", "Eva-s for Shampoo"]
    row = next(row for row in cosines.rows if (row.view, row.name) == ("Eva for K-FAC", "authors'"))
    assert [dot and (dot.low, dot.value, dot.high) for dot in row.dots] == [(0.2, 0.3, 0.6), (1.0, 1.0, 1.0), None]


def test_lines_that_are_no_arms_are_not_among_the_arms_of_the_switch(three_seeds):
    assert not shares_picture(three_seeds).chart.of_arms
