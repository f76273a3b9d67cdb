"""What a training run is watched for, and that the clock does not see it."""

import itertools

import pytest
import torch
from torch import nn

from evabench.measurement.bench import Bench
from evabench.measurement.convergence import measure_convergence
from evabench.measurement.watch.checksums import checksums, content_digest
from evabench.measurement.watch.pausable_clock import PausableClock
from evabench.measurement.watch.training_watch import drawn_steps
from evabench.measurement.watch.untouched_net import UntouchedNet
from evabench.records.measurement import ConvergenceSettings
from evabench.settings.classifiers import ClassifierSettings
from evabench.settings.first_order import SgdSettings
from evabench.settings.kronecker import KfacSettings
from evabench.settings.language import LanguageSettings
from evabench.worker.build import build_cell, build_workload
from evabench.workloads.build import initial_model
from evabench.workloads.journal import Journal
from evabench.workloads.workload import Batch
from tests.measurement.test_modes import SETTINGS
from tests.measurement.test_modes import bench as schedule_free
from tests.runs import SMALL, cell


def test_a_training_run_tells_what_it_was_made_of():
    settings = ConvergenceSettings(steps=24, evaluate_every=12)
    made = cell("SGD", settings, optimizer=SgdSettings(lr=0.1, momentum=0.9), net=SMALL)
    bench = Bench(cell=made, seed=1, warmup_steps=0, build=build_cell)
    checks = measure_convergence(bench, settings).checks
    batches = list(itertools.islice(build_workload(SMALL, 1).batches(), 24))
    assert {seen.step: seen.digest for seen in checks.batches} == {
        step: content_digest(batches[step]) for step in drawn_steps(1, 24)
    }
    assert {(seen.num_passes, seen.fed_otherwise) for seen in checks.batches} == {(1, False)}
    assert (checks.made_changed, checks.evaluations_changed, checks.data_changed) == ((), (), ())
    assert (checks.effort.num_steps, checks.num_evaluations) == (23, 4)
    assert checks.state_bytes == sum(p.nbytes for p in bench.workload.model.parameters())


def test_an_optimizer_that_is_judged_at_another_point_comes_back_to_its_own():
    assert measure_convergence(schedule_free(), SETTINGS).checks.evaluations_changed == ()


def test_what_is_looked_at_beside_the_training_is_not_on_its_clock():
    time = iter([0.0, 3.0, 103.0, 105.0])
    clock, waited = PausableClock(now=lambda: next(time)), []
    clock.resume()
    with clock.standing_still(lambda: waited.append("for the device")):
        pass
    clock.pause()
    assert (clock.seconds, waited) == (5.0, ["for the device"])


def test_first_and_last_step_are_looked_at_and_eight_between_the_same_for_every_arm():
    assert {0, 99} < drawn_steps(3, 100) == drawn_steps(3, 100) != drawn_steps(4, 100)
    assert len(drawn_steps(3, 100)) == 10
    assert drawn_steps(3, 2) == {0, 1}


def test_a_journal_tells_orders_and_seeds_apart_whenever_it_is_read():
    def digest(*batches, read_between=False):
        journal = Journal()
        for samples, seeds in batches:
            journal.note(torch.tensor(samples), seeds)
            if read_between:
                journal.digest()
        return journal.digest()

    one, other = ([1, 2], (5,)), ([3], (6,))
    assert digest(one, other) == digest(one, other, read_between=True)
    assert len({digest(one, other), digest(other, one), digest(one), digest(([1, 2], (7,)), other)}) == 4
    assert digest(([1, 2], ()), ([3], ())) != digest(([1], ()), ([2, 3], ()))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.uint8, torch.complex64])
def test_one_changed_element_changes_the_sum_of_the_bits(dtype):
    values = torch.arange(1, 8).to(dtype)
    before = checksums([values, values[1:], values.reshape(7, 1)])
    values[3] = 9
    assert all(
        now != then for now, then in zip(checksums([values, values[1:], values.reshape(7, 1)]), before, strict=True)
    )


def test_content_is_told_apart_by_values_shape_and_type():
    values = torch.zeros(4)
    same = {content_digest(Batch(values, values.clone())), content_digest(Batch(values.clone(), values))}
    assert len(same) == 1
    other = {content_digest(Batch(values.view(2, 2), values)), content_digest(Batch(values.int(), values))}
    assert len(same | other) == 3


NETS = {
    "autoencoder": SMALL,
    "batch norm": ClassifierSettings(model="resnet20", data="digits", width=0.25, batch=16),
    "tied weights": LanguageSettings(
        data="python_stdlib", context=16, layers=1, heads=2, width=16, batch=4, held_out_windows=4
    ),
}


@pytest.mark.parametrize("net", NETS.values(), ids=NETS)
@pytest.mark.parametrize("optimizer", [SgdSettings(lr=0.1, momentum=0.9), KfacSettings()], ids=["SGD", "K-FAC"])
def test_losses_are_those_of_the_weights_in_a_net_that_nobody_has_touched(net, optimizer):
    settings = ConvergenceSettings(steps=4, evaluate_every=1)
    made = cell("SGD", settings, optimizer=optimizer, net=net)
    curve = measure_convergence(Bench(cell=made, seed=1, warmup_steps=0, build=build_cell), settings)
    losses = [(seen.loss, seen.untouched_loss) for seen in curve.checks.batches]
    judged = [(again.loss, again.untouched_loss) for again in curve.checks.judged_again]
    assert (len(losses), len(judged)) == (4, 3)
    assert all(own == pytest.approx(untouched, rel=1e-6) for own, untouched in (*losses, *judged))
    assert curve.checks.judged_again[-1].loss == curve.final_validation_loss
    assert (curve.checks.layer_calls_when_made, curve.checks.switches_changed) == (0, ())


def test_an_untouched_net_uses_up_no_random_number_of_the_training():
    made = cell("SGD", optimizer=SgdSettings(lr=0.1), net=SMALL)
    bench = Bench(cell=made, seed=1, warmup_steps=0, build=build_cell)
    untouched = UntouchedNet(bench, nn.Sequential(*initial_model(SMALL, 1), nn.Dropout(0.5)))
    before = torch.get_rng_state()
    assert untouched.loss(next(bench.workload.batches())) is not None
    assert torch.equal(torch.get_rng_state(), before)
