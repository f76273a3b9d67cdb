"""Streaming a folder of images: the same batches for a seed, whatever workers load them."""

import itertools
import shutil
import struct

import pytest
import torch
from PIL import Image

from evabench.datasets.stand_ins import make_imagenet
from evabench.errors import DataError
from evabench.settings.classifiers import ClassifierSettings
from evabench.workloads.augment import Augmentation
from evabench.workloads.image_folder import ImageFolder

SETTINGS = ClassifierSettings(
    model="resnet20", data="imagenet_stand_in", image_size=32, batch=30, crop="resized", flip=True, cutmix=1.0
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        return make_imagenet()


def source(folder, seed=0, settings=SETTINGS):
    return ImageFolder(folder, Augmentation(settings), batch=settings.batch, seed=seed)


def test_a_seed_draws_the_same_batches_and_another_seed_others(folder):
    first = list(itertools.islice(source(folder).training_batches(), 7))  # into the second epoch: 6 batches are one
    again = list(itertools.islice(source(folder).training_batches(), 7))
    assert all(torch.equal(a.inputs, b.inputs) for a, b in zip(first, again, strict=True))
    assert all(torch.equal(a.targets, b.targets) for a, b in zip(first, again, strict=True))
    assert first[0].inputs.shape == (30, 3, 32, 32)
    other = next(source(folder, seed=1).training_batches())
    assert not torch.equal(first[0].inputs, other.inputs)


def test_a_tenth_of_train_is_validation_of_all_classes_and_val_is_the_test_set(folder):
    splits = source(folder)
    validation = splits.held_out_samples["validation"]
    assert (len(splits.train), len(validation), len(splits.held_out_samples["test"])) == (180, 20, 50)
    assert not {sample.path for sample in splits.train} & {sample.path for sample in validation}
    assert len({sample.label for sample in validation}) > 3


def test_held_out_images_are_read_in_order_once_and_without_anything_random(folder):
    splits = source(folder)
    first, again = (list(splits.held_out("test")) for _ in range(2))
    assert torch.cat([batch.targets for batch in first]).tolist() == sorted(list(range(10)) * 5)
    assert all(torch.equal(a.inputs, b.inputs) for a, b in zip(first, again, strict=True))


def test_a_flat_val_folder_is_an_error_that_shows_the_layout(tmp_path):
    (tmp_path / "train/n01").mkdir(parents=True)
    (tmp_path / "val").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "train/n01/a.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "val/b.png")
    with pytest.raises(DataError, match="the published validation archive is flat"):
        source(tmp_path)


def test_a_damaged_image_is_an_error_that_names_it(folder, tmp_path):
    for split in ("train", "val"):
        (tmp_path / split / "n01").mkdir(parents=True)
        for index in range(20):
            (tmp_path / split / "n01" / f"{index}.JPEG").write_bytes(b"not at all an image")
    damaged = source(tmp_path, settings=ClassifierSettings(model="resnet20", data="imagenet_stand_in", batch=10))
    with pytest.raises(DataError, match=r"^/.*/val/n01/0\.JPEG cannot be decoded: .*Replace it or take it out\.$"):
        list(damaged.held_out("test"))


@pytest.mark.long  # its reader is waited for: some 10 s
def test_an_image_that_ends_too_early_is_an_error_that_names_it(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    damaged = source(tmp_path / "copy")
    broken = damaged.held_out_samples["test"][7].path
    broken.write_bytes(broken.read_bytes()[:-400])
    with pytest.raises(DataError, match=rf"^{broken} cannot be decoded: .*truncated"):
        list(damaged.held_out("test"))


@pytest.mark.long
def test_a_png_with_a_broken_chunk_is_an_error_that_names_it(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    broken = source(tmp_path / "copy").held_out_samples["test"][0].path.with_name("0.png")
    broken.write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s5sI", 5, b"IHDR", b"short", 0))
    with pytest.raises(DataError, match=rf"^{broken} cannot be decoded"):
        list(source(tmp_path / "copy").held_out("test"))


@pytest.mark.long
def test_a_part_of_a_set_is_refused_with_what_it_has_and_what_it_should_have(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    shutil.rmtree(next((tmp_path / "copy/train").iterdir()))
    with pytest.raises(
        DataError, match=r"it has 9 classes, 180 images in train and 45 in val, and should have 10 classes"
    ):
        ImageFolder(tmp_path / "copy", Augmentation(SETTINGS), batch=30, seed=0, known=SETTINGS.images)


def test_a_folder_that_is_not_there_is_an_error_with_its_path(tmp_path):
    with pytest.raises(DataError, match=rf"{tmp_path}/train cannot be read: No such file or directory"):
        source(tmp_path)
