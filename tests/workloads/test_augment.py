"""Tricks of the input: each does what it says, is drawn by the seed, and leaves held-out images alone."""

import pytest
import torch

from evabench.settings.classifiers import ClassifierSettings
from evabench.workloads.augment import Augmentation

BLACK = -0.5 / 0.5  # a black pixel of Fashion-MNIST as a net sees it


def augmentation(**tricks):
    return Augmentation(ClassifierSettings(model="mlp", data="fashion_mnist_subset", **tricks))


def images(count=16, value=None):
    if value is not None:
        return torch.full((count, 784), value, dtype=torch.uint8)
    return torch.randint(0, 256, (count, 784), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


LABELS = torch.arange(16) % 10


@pytest.mark.parametrize(
    "tricks",
    [
        {"crop": "padded"},
        {"crop": "resized"},
        {"flip": True},
        {"cutout": 0.5},
        {"auto_augment": True},
        {"cutmix": 1.0},
        {"mixup": 1.0},
        {"cutmix": 1.0, "mixup": 1.0},
    ],
    ids=lambda tricks: "+".join(tricks),
)
def test_a_trick_is_drawn_by_the_seed_and_spares_held_out_images(tricks):
    tricked, plain = augmentation(**tricks), augmentation()
    first = tricked.training(images(), LABELS, seed=1)
    again = tricked.training(images(), LABELS, seed=1)
    other = tricked.training(images(), LABELS, seed=2)
    assert torch.equal(first.inputs, again.inputs)
    assert torch.equal(first.targets, again.targets)
    assert not torch.equal(first.inputs, other.inputs)
    assert torch.equal(tricked.held_out(images(), LABELS).inputs, plain.held_out(images(), LABELS).inputs)


def test_without_tricks_pixels_are_standardised_and_nothing_else():
    batch = augmentation().training(images(), LABELS, seed=0)
    expected = ((images().float() / 255 - 0.5) / 0.5).reshape(-1, 1, 28, 28)
    assert torch.allclose(batch.inputs, expected, atol=1e-6)
    assert torch.equal(batch.targets, LABELS)


def test_each_image_of_a_batch_is_drawn_for_itself():
    same = images(1).expand(16, -1)
    cropped = augmentation(crop="padded").training(same, LABELS, seed=0).inputs
    assert len({image.numpy().tobytes() for image in cropped}) > 4


def test_a_flip_turns_an_image_round_or_leaves_it():
    plain = augmentation().training(images(), LABELS, seed=0).inputs
    flipped = augmentation(flip=True).training(images(), LABELS, seed=0).inputs
    turned = [torch.equal(ours, theirs.flip(-1)) for ours, theirs in zip(flipped, plain, strict=True)]
    kept = [torch.equal(ours, theirs) for ours, theirs in zip(flipped, plain, strict=True)]
    assert all(one or other for one, other in zip(turned, kept, strict=True))
    assert any(turned)
    assert any(kept)


def test_cutout_erases_a_square_of_the_share_that_is_asked_for():
    erased = augmentation(cutout=0.5).training(images(value=255), LABELS, seed=0).inputs == 0.0
    assert erased.flatten(1).sum(1).tolist() == [14 * 14] * 16


def test_a_padded_crop_moves_an_image_by_at_most_an_eighth():
    one_pixel = torch.zeros(16, 28, 28, dtype=torch.uint8)
    one_pixel[:, 14, 14] = 255
    moved = augmentation(crop="padded").training(one_pixel.reshape(16, 784), LABELS, seed=0).inputs
    places = (moved[:, 0] > BLACK).nonzero()[:, 1:] - 14
    assert len(places) == 16
    assert places.abs().max() <= 28 // 8


def test_mixing_gives_each_image_shares_of_two_labels_that_add_up():
    for tricks in ({"cutmix": 1.0}, {"mixup": 1.0}):
        batch = augmentation(**tricks).training(images(), LABELS, seed=3)
        assert batch.targets.shape == (16, 10)
        assert torch.allclose(batch.targets.sum(1), torch.ones(16))
        assert (batch.targets > 0).sum(1).max() == 2


def test_images_are_resized_to_the_side_that_is_asked_for():
    resized = augmentation(image_size=32)
    assert resized.training(images(), LABELS, seed=0).inputs.shape == (16, 1, 32, 32)
    assert resized.held_out(images(), LABELS).inputs.shape == (16, 1, 32, 32)
