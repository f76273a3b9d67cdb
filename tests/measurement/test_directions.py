"""Which way the steps of a training run go: the code that trains is looked at, and does not notice."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evabench.findings.followed import FollowedDirection
from evabench.measurement.bench import Bench
from evabench.measurement.curvature_size import curvature_sizes
from evabench.records.measurement import ConvergenceSettings, DirectionsSettings
from evabench.records.request import Request
from evabench.settings.autoencoders import AutoencoderSettings
from evabench.settings.eva import EvaFSettings, EvaSettings, EvaSSettings
from evabench.settings.first_order import SgdSettings
from evabench.settings.kronecker import FoofSettings, KfacSettings
from evabench.settings.mfac import MfacSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.shampoo import ShampooSettings
from evabench.stats.weighted_median import weighted_median
from evabench.worker.build import build_cell
from evabench.worker.measure import measure
from tests.runs import cell

NET = AutoencoderSettings(widths=(784, 12, 4), batch=50)
TRAINING = ConvergenceSettings(steps=10, evaluate_every=1)
PROBED = DirectionsSettings(training=TRAINING, probes=3)
EVA = EvaSettings(lr=0.01, damping=0.1, clip="none", output_gradient="per_example")


def probed(optimizer, settings=PROBED, seed=3):
    made = cell(optimizer=optimizer, measurement=settings, net=NET)
    return measure(Request(cell=made, seed=seed, warmup_steps=0, timeout_seconds=60)).measured


def followed(optimizer):
    return FollowedDirection.of([probed(optimizer)])


def test_probes_stand_in_the_middles_of_equal_parts_of_the_budget():
    assert PROBED.probed_steps == (1, 5, 8)
    assert DirectionsSettings(training=replace(TRAINING, steps=144)).probed_steps == (14, 43, 72, 100, 129)


def test_more_probes_than_steps_are_refused():
    with pytest.raises(ValueError, match=r"probes must be at most the steps \(10\), got 11"):
        DirectionsSettings(training=TRAINING, probes=11)


@pytest.mark.parametrize(
    "optimizer", [KfacSettings(lr=0.01, refresh_every=2), SgdSettings(lr=0.1)], ids=lambda one: one.title
)
def test_a_run_that_is_looked_at_trains_as_one_that_is_judged(optimizer):
    made = cell(optimizer=optimizer, measurement=TRAINING, net=NET)
    judged = measure(Request(cell=made, seed=3, warmup_steps=0, timeout_seconds=60)).measured
    losses = {each.step: each.validation_loss for each in judged.evaluations}
    found = probed(optimizer)
    assert {each.step: each.validation_loss for each in found.probes} == {step: losses[step] for step in (1, 5, 8)}
    assert found.trivial_levels == judged.trivial_levels


def test_at_a_damping_that_drowns_its_curvature_eva_is_the_gradient_over_the_damping():
    found = followed(replace(EVA, lr=1e-4, damping=50.0))
    assert found.is_gradient
    assert found.cosine == pytest.approx(1.0)
    assert found.stretch.middle == pytest.approx(1 / 50, rel=1e-3)
    assert found.curvature.high < 0.01
    assert found.clip_factor.low == 1.0


def test_an_ablation_arm_is_the_gradient_whatever_its_damping():
    found = followed(replace(EVA, damping=1e-6, lr=1e-9, vectors="off"))
    assert found.is_gradient
    assert found.curvature.high == 0


@pytest.mark.parametrize(
    "optimizer",
    [
        replace(EVA, damping=1e-6, lr=1e-7),
        EvaFSettings(damping=1e-4),
        KfacSettings(damping=1e-3, lr=1e-3),
        FoofSettings(damping=1e-3, factorisation="cholesky"),
        ShampooSettings(),
        MfacSettings(),
    ],
    ids=lambda one: one.title,
)
def test_what_is_second_order_is_not_taken_for_the_gradient(optimizer):
    found = followed(optimizer)
    assert found.followed == "direction"
    assert found.num_probes == 3
    assert not found.is_gradient


@pytest.mark.parametrize(("momentum", "is_alike"), [(0.0, True), (0.9, False)])
def test_the_update_of_sgd_is_the_gradient_but_for_its_momentum_and_is_never_judged(momentum, is_alike):
    found = followed(SgdSettings(lr=0.1, momentum=momentum))
    assert found.followed == "update"
    assert (found.cosine > 0.9999) == is_alike
    assert (abs(found.stretch.middle - 1) < 0.01) == is_alike
    assert not found.is_gradient


def test_an_optimizer_that_makes_its_own_passes_has_no_gradient_to_compare_with():
    lbfgs = PluginSettings(name="torch.optim:LBFGS", options={"lr": 0.1, "max_iter": 2}, closure=True)
    found = probed(lbfgs)
    assert [each.layers for each in found.probes] == [()] * 3
    assert FollowedDirection.of([found]) is None


@pytest.mark.parametrize("clip", ["kl_clip", "kl_normalization"])
def test_the_factor_of_a_clip_is_told_from_what_it_has_left(clip):
    """At the first step, where the direction before the clip does not depend on the clip."""
    first = DirectionsSettings(training=replace(TRAINING, schedule="constant"), probes=10)
    bare = replace(EVA, lr=0.5)
    (whole, *_), (clipped, *_) = (probed(each, first).probes for each in (bare, replace(bare, clip=clip)))
    unit = bare.damping if clip == "kl_normalization" else 1.0  # which leaves 1 / damping out
    assert clipped.clip_factor == pytest.approx(clipped.stretch / whole.stretch / unit, rel=1e-3)
    assert clipped.clip_factor != 1


def test_a_training_that_diverges_has_the_probes_that_it_came_to():
    found = probed(SgdSettings(lr=1e6, momentum=0.9))
    assert found.probes[-1].validation_loss is None
    assert len(found.probes) < 3


@pytest.mark.parametrize("kind", ["eva", "eva_f", "eva_s", "kfac", "foof"])
def test_the_curvature_beside_the_damping_is_that_of_the_state(kind):
    settings = {
        "eva": EVA,
        "eva_f": EvaFSettings(damping=0.1),
        "eva_s": EvaSSettings(damping=0.1),
        "kfac": KfacSettings(damping=0.1),
        "foof": FoofSettings(damping=0.1),
    }[kind]
    made = cell(optimizer=settings, measurement=PROBED, net=NET)
    bench = Bench(cell=made, seed=0, warmup_steps=0, build=build_cell)
    bench.train(next(bench.workload.batches()))
    optimizer = bench.optimizer
    layer = optimizer.layers[0]
    state = {name: value.double() for name, value in optimizer.state[layer.weight].items() if torch.is_tensor(value)}

    def largest(*vectors):
        outer = vectors[0]
        for vector in vectors[1:]:
            outer = torch.outer(outer, vector).flatten()
        return outer.square().sum()

    one = torch.ones(1, dtype=torch.float64)
    expected = {
        "eva": lambda: largest(torch.cat((state["a"], one)), state["b"]),
        "eva_f": lambda: largest(torch.cat((state["a"], one))),
        "eva_s": lambda: largest(*torch.split(state["v"], list(layer.weight.shape))),
        "kfac": lambda: (
            torch.linalg.eigvalsh(torch.kron(state["A"][:20, :20], state["B"])).mean()
            * (state["A"].trace() / len(state["A"]))
            / (state["A"][:20, :20].trace() / 20)
        ),
        "foof": lambda: torch.linalg.eigvalsh(state["A"]).mean(),
    }[kind]()
    assert curvature_sizes(optimizer)[layer.name] == pytest.approx(float(expected) / 0.1, rel=1e-6)


@given(st.lists(st.tuples(st.floats(-1, 1), st.integers(0, 4)), max_size=8))
def test_a_weighted_median_is_the_lower_median_of_each_value_as_often_as_it_weighs(pairs):
    repeated = sorted(value for value, weight in pairs for _ in range(weight))
    expected = repeated[(len(repeated) - 1) // 2] if repeated else None
    assert weighted_median(pairs) == expected
