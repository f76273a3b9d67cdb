"""What a predictor without a net reaches, and which runs end there."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from evabench.records.trivial import TrivialLevel, level_reached
from evabench.settings.classifiers import ClassifierSettings
from evabench.settings.language import LanguageSettings
from evabench.workloads.build import build_workload
from evabench.workloads.trivial import class_prior_levels, reconstruction_levels, unigram_levels
from evabench.workloads.user import Task
from tests.runs import SMALL

MEAN = TrivialLevel(name="mean", validation_loss=0.0853)
COMPONENT = TrivialLevel(name="component", validation_loss=0.0608, is_constant=False)


def reached(loss):
    found = level_reached((MEAN, COMPONENT), loss)
    return found and found.name


def test_a_net_that_has_collapsed_ends_at_the_mean_and_so_does_one_that_is_worse():
    assert [reached(loss) for loss in (0.0853, 0.0840, 0.0870, 0.172)] == ["mean"] * 4


def test_a_plateau_holds_two_percent_around_it_and_what_lies_between_is_on_its_way():
    assert [reached(loss) for loss in (0.0612, 0.0600)] == ["component", "component"]
    assert [reached(loss) for loss in (0.071, 0.055, None)] == [None, None, None]


@given(st.floats(-5, 0), st.floats(-5, 5))
def test_where_losses_can_be_negative_no_level_holds(level, loss):
    assert level_reached((TrivialLevel(name="a", validation_loss=level),), loss) is None


def test_the_levels_of_a_reconstruction_are_those_of_the_best_predictors_of_their_kind():
    generator = torch.Generator().manual_seed(0)
    train = torch.randn(300, 5, generator=generator) * torch.tensor([3.0, 1.0, 1.0, 1.0, 1.0]) + 2.0
    mean, component = reconstruction_levels(train, train)
    centred = (train - train.mean(0)).double()
    values = torch.linalg.svdvals(centred).square() / train.numel()
    assert mean.validation_loss == pytest.approx(float(values.sum()))
    assert component.validation_loss == pytest.approx(float(values[1:].sum()))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30))
def test_no_constant_predictor_is_below_the_shares_by_more_than_the_one_more(labels):
    train = torch.tensor(labels)
    (level,) = class_prior_levels(train, train, 4)
    shares = torch.bincount(train, minlength=4) / len(train)
    entropy = float(torch.special.entr(shares).sum())
    assert entropy <= level.validation_loss + 1e-6
    assert level.validation_loss <= entropy + 4 / len(labels) + 1e-6


def test_a_token_that_training_never_saw_has_a_finite_loss():
    (level,) = unigram_levels(torch.zeros(9, dtype=torch.uint8), torch.tensor([1]), 2)
    assert level.validation_loss == pytest.approx(math.log(11))


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        (SMALL, ["the mean of the samples", "one principal component"]),
        (ClassifierSettings(model="mlp", data="fashion_mnist_subset", batch=50), ["the shares of the classes"]),
        (
            LanguageSettings(data="python_stdlib", layers=1, width=16, heads=2, batch=4, context=8),
            ["the frequencies of the tokens"],
        ),
    ],
)
def test_each_workload_states_what_learning_nothing_reaches(settings, names):
    workload = build_workload(settings, seed=0)
    levels = workload.trivial_levels()
    assert [level.name for level in levels] == names
    assert workload.validation().loss > levels[-1].validation_loss  # nothing has been learned yet


def task(**stated):
    samples = torch.randn(20, 3), torch.arange(20) % 4
    return Task(model=nn.Linear(3, 4), train=samples, validation=samples, test=samples, **stated)


def test_a_task_states_its_own_levels_and_of_classes_needs_not():
    stated = task(loss=nn.functional.mse_loss, trivial_losses={"the mean target": 0.4})
    assert stated.trivial_levels() == (TrivialLevel(name="the mean target", validation_loss=0.4),)
    assert task(loss=nn.functional.mse_loss).trivial_levels() == ()
    (shares,) = task(loss=nn.functional.cross_entropy, kind="classification").trivial_levels()
    assert shares.validation_loss == pytest.approx(math.log(4))


def test_a_level_that_is_no_number_is_refused_by_its_name():
    with pytest.raises(ValueError, match='"mean" must be a finite number, got nan'):
        task(loss=nn.functional.mse_loss, trivial_losses={"mean": math.nan})
