"""A workload: one seed draws weights and batches, whoever trains; held-out scores are what they say."""

import itertools
import math

import pytest
import torch

from evabench.settings.autoencoders import AutoencoderSettings
from evabench.settings.classifiers import ClassifierSettings
from evabench.settings.synthetic import SyntheticSettings
from evabench.workloads.build import build_workload
from evabench.workloads.objectives import Classification, NextToken, Reconstruction, Totals

SMALL = {
    "autoencoder": AutoencoderSettings(widths=(784, 16, 4), batch=50),
    "classifier": ClassifierSettings(model="mlp", data="fashion_mnist_subset", batch=50, width=0.125),
    "augmented": ClassifierSettings(
        model="mlp", data="fashion_mnist_subset", batch=20, width=0.125, crop="padded", flip=True, cutmix=1.0, mixup=0.2
    ),
    "synthetic": SyntheticSettings(width=16, depth=2, batch=8),
}


def first_batches(workload, count=3):
    return list(itertools.islice(workload.batches(), count))


@pytest.mark.parametrize("settings", SMALL.values(), ids=SMALL)
def test_one_seed_draws_the_same_weights_and_batches_whatever_else_is_drawn(settings):
    first = build_workload(settings, seed=3)
    batches = first_batches(first)
    torch.rand(17)  # an optimizer that draws numbers of its own
    again = build_workload(settings, seed=3)
    stream = again.batches()
    for batch in batches:
        torch.rand(5)
        other = next(stream)
        assert torch.equal(batch.inputs, other.inputs)
        assert torch.equal(batch.targets, other.targets)
    for ours, theirs in zip(first.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("settings", SMALL.values(), ids=SMALL)
def test_another_seed_draws_other_weights_and_batches(settings):
    first, other = build_workload(settings, seed=3), build_workload(settings, seed=4)
    assert not torch.equal(first_batches(first)[0].inputs, first_batches(other)[0].inputs)
    assert not torch.equal(next(first.model.parameters()), next(other.model.parameters()))


@pytest.mark.parametrize("settings", SMALL.values(), ids=SMALL)
def test_building_and_drawing_leave_the_global_generator_alone(settings):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    first_batches(build_workload(settings, seed=3))
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("settings", SMALL.values(), ids=SMALL)
def test_a_training_loss_can_be_gone_backward_from(settings):
    workload = build_workload(settings, seed=0)
    workload.loss(first_batches(workload, 1)[0]).backward()
    assert all(parameter.grad.isfinite().all() for parameter in workload.model.parameters())


def test_every_epoch_passes_each_training_image_once_and_no_other():
    workload = build_workload(SMALL["autoencoder"], seed=0)
    epoch = torch.cat([batch.inputs for batch in itertools.islice(workload.batches(), 9000 // 50)])
    stored = workload.source.splits["train"][0].float().div(255)
    assert torch.equal(epoch.sum(1).sort().values, stored.sum(1).sort().values)
    assert epoch.shape == (9000, 784)


def test_validation_is_the_last_tenth_of_the_training_set_and_test_is_apart():
    splits = build_workload(SMALL["classifier"], seed=0).source.splits
    assert {name: len(inputs) for name, (inputs, _) in splits.items()} == {
        "train": 9000,
        "validation": 1000,
        "test": 2000,
    }


def test_scores_of_a_classifier_are_plain_cross_entropy_and_the_share_of_right_answers():
    workload = build_workload(SMALL["classifier"], seed=0)
    inputs, labels = workload.source.splits["validation"]
    workload.model.eval()
    with torch.no_grad():
        outputs = workload.model(((inputs.float() / 255 - 0.5) / 0.5).reshape(-1, 1, 28, 28))
    scores = workload.validation()
    assert scores.accuracy == pytest.approx((outputs.argmax(1) == labels).float().mean().item())
    assert scores.loss == pytest.approx(torch.nn.functional.cross_entropy(outputs, labels).item(), rel=1e-5)
    assert scores.bits_per_byte is None
    assert workload.model.training


def test_generated_images_are_called_synthetic_data_where_the_workload_is_named():
    assert AutoencoderSettings(data="curves_like").shape.endswith("mirrored, batch 1000, synthetic data")
    assert "synthetic" not in AutoencoderSettings(data="curves").shape


def test_an_autoencoder_has_a_loss_and_no_accuracy():
    scores = build_workload(SMALL["autoencoder"], seed=0).test()
    assert scores.loss > 0
    assert scores.accuracy is None


def test_label_smoothing_acts_on_the_training_loss_alone():
    outputs, labels = torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 0, 1])
    plain, smooth = Classification(), Classification(label_smoothing=0.1)
    assert smooth.loss(outputs, labels) != plain.loss(outputs, labels)
    held_out = Totals()
    smooth.add(held_out, outputs, labels)
    assert held_out.scores().loss == pytest.approx(float(plain.loss(outputs, labels)))


def test_a_batch_of_mixed_labels_has_the_loss_of_its_shares():
    outputs = torch.randn(2, 3)
    shares = torch.tensor([[0.7, 0.3, 0.0], [0.0, 0.0, 1.0]])
    expected = -(shares * outputs.log_softmax(1)).sum(1).mean()
    assert torch.isclose(Classification().loss(outputs, shares), expected)


def test_batches_of_unequal_size_weigh_by_their_samples():
    totals = Totals()
    objective = Reconstruction()
    objective.add(totals, torch.zeros(3, 2), torch.ones(3, 2))
    objective.add(totals, torch.zeros(1, 2), torch.zeros(1, 2))
    assert totals.scores().loss == pytest.approx(0.75)


def test_bits_per_byte_count_the_bytes_of_the_tokens():
    outputs = torch.zeros(1, 2, 4)  # uniform: log2(4) = 2 bits a token
    targets = torch.tensor([[1, 3]])
    bytes_alone, pairs = Totals(), Totals()
    NextToken().add(bytes_alone, outputs, targets)
    NextToken(torch.tensor([1, 1, 1, 3])).add(pairs, outputs, targets)
    assert bytes_alone.scores().bits_per_byte == pytest.approx(2.0)
    assert pairs.scores().bits_per_byte == pytest.approx(2 * 2 / 4)
    assert pairs.scores().loss == pytest.approx(math.log(4))
