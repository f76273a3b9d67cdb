"""Images on disk: the published bytes or an error that says what to do; the last tenth is kept for validation."""

import gzip
import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from evabench.datasets.catalogue import CATALOGUE, FASHION_MNIST_MD5
from evabench.datasets.images import EMBEDDED_SUBSET
from evabench.errors import DataError
from evabench.settings.autoencoders import AutoencoderSettings
from evabench.settings.datasets import IMAGE_SETS
from evabench.workloads.build import build_workload
from evabench.workloads.data import load_images

# What `tools/make_fashion_mnist_subset.py` writes: sha256, 16 digits.
DIGESTS = {
    "test_images": "bd433826c44a94ef",
    "test_labels": "d16371560eeccb6e",
    "train_images": "e0e8545bd071a607",
    "train_labels": "185d70ab635712c9",
}

COUNTS = {"train": 60, "t10k": 20}


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A machine without the full data set: no home, no variable, no package of Debian."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for variable in ("EVABENCH_DATA", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    known = CATALOGUE["fashion_mnist"]
    ((_, form),) = known.system
    monkeypatch.setitem(CATALOGUE, "fashion_mnist", replace(known, system=((tmp_path / "debian", form),)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def small_copy(nowhere, monkeypatch):
    """A data set of 60 + 20 images in torchvision's layout, with checksums of its own."""
    small = replace(IMAGE_SETS["fashion_mnist"], num_train=COUNTS["train"], num_test=COUNTS["t10k"])
    monkeypatch.setitem(IMAGE_SETS, "fashion_mnist", small)
    folder = nowhere / "images" / "FashionMNIST" / "raw"
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for split, count in COUNTS.items():
        write(folder, monkeypatch, f"{split}-images-idx3-ubyte", 16, random.integers(0, 256, (count, 28, 28), np.uint8))
        write(folder, monkeypatch, f"{split}-labels-idx1-ubyte", 8, random.integers(0, 10, count, np.uint8))
    monkeypatch.setenv("EVABENCH_DATA", str(nowhere / "images"))
    return folder


def write(folder, monkeypatch, name, header_bytes, array):
    content = bytes(header_bytes) + array.tobytes()
    monkeypatch.setitem(FASHION_MNIST_MD5, name, hashlib.md5(content, usedforsecurity=False).hexdigest())
    (folder / name).write_bytes(content)


def zip_in_place(path):
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()


def test_the_subset_that_ships_is_the_one_that_was_drawn():
    with np.load(EMBEDDED_SUBSET, allow_pickle=False) as arrays:
        digests = {name: hashlib.sha256(arrays[name].tobytes()).hexdigest()[:16] for name in sorted(arrays)}
    assert digests == DIGESTS


def test_the_subset_has_three_splits_of_flat_bytes():
    images = load_images("fashion_mnist_subset")
    assert [tuple(split.shape) for split in (images.train, images.validation, images.test)] == [
        (9000, 784),
        (1000, 784),
        (2000, 784),
    ]
    assert {split.dtype for split in (images.train, images.validation, images.test)} == {torch.uint8}


def test_validation_is_the_last_tenth_of_the_training_set_in_its_order():
    images = load_images("fashion_mnist_subset")
    with np.load(EMBEDDED_SUBSET, allow_pickle=False) as arrays:
        whole = torch.from_numpy(arrays["train_images"].reshape(-1, 784))
    assert torch.equal(torch.cat((images.train, images.validation)), whole)


def test_the_subset_has_every_class_equally_often():
    with np.load(EMBEDDED_SUBSET, allow_pickle=False) as arrays:
        assert np.bincount(arrays["train_labels"]).tolist() == [1000] * 10
        assert np.bincount(arrays["test_labels"]).tolist() == [200] * 10


def test_no_image_of_the_test_set_is_trained_on():
    images = load_images("fashion_mnist_subset")
    seen = {row.numpy().tobytes() for split in (images.train, images.validation) for row in split}
    assert not any(row.numpy().tobytes() in seen for row in images.test)


def test_a_batch_is_floats_from_0_to_1_that_reach_both_ends():
    batch = next(build_workload(AutoencoderSettings(widths=(784, 4), batch=100), seed=0).batches())
    assert (batch.inputs.shape, batch.inputs.dtype) == ((100, 784), torch.float32)
    assert (float(batch.inputs.min()), float(batch.inputs.max())) == (0.0, 1.0)


def test_a_missing_data_set_names_every_place_that_was_looked_into(nowhere, monkeypatch):
    monkeypatch.setenv("EVABENCH_DATA", "/mnt/images")
    with pytest.raises(DataError) as caught:
        load_images("fashion_mnist")
    home = nowhere / "home"
    for place in (
        "/mnt/images/FashionMNIST/raw",
        f"{home}/.cache/torch/datasets/FashionMNIST/raw",
        "data/FashionMNIST/raw",
        f"{home}/data/FashionMNIST/raw",
        f"{home}/.cache/evabench/FashionMNIST/raw",
        f"{nowhere}/debian",
    ):
        assert f"\n  {place}\n" in str(caught.value)


def test_a_missing_data_set_comes_with_the_commands_that_get_it_and_the_way_without_it(nowhere):
    with pytest.raises(DataError) as caught:
        load_images("fashion_mnist")
    told = str(caught.value).splitlines()
    assert "  evabench data --get fashion_mnist" in told
    assert "  apt-get update && apt-get install -y --no-install-recommends dataset-fashion-mnist" in told
    assert told[-1] == 'or use data = "fashion_mnist_subset".'


def test_the_subset_needs_nothing_on_the_machine(nowhere):
    assert len(load_images("fashion_mnist_subset").train) == 9000


@pytest.mark.parametrize("zipped", [False, True], ids=["raw", "gz"])
def test_the_full_set_is_read_raw_or_zipped_and_split_by_the_same_rule(small_copy, zipped):
    raw = np.frombuffer((small_copy / "train-images-idx3-ubyte").read_bytes(), np.uint8, offset=16).reshape(60, 784)
    if zipped:
        for path in list(small_copy.iterdir()):
            zip_in_place(path)
    images = load_images("fashion_mnist")
    assert [len(split) for split in (images.train, images.validation, images.test)] == [54, 6, 20]
    assert np.array_equal(torch.cat((images.train, images.validation)).numpy(), raw)


def test_labels_come_with_their_images(small_copy):
    labels = np.frombuffer((small_copy / "train-labels-idx1-ubyte").read_bytes(), np.uint8, offset=8)
    images = load_images("fashion_mnist")
    assert torch.cat((images.train_labels, images.validation_labels)).tolist() == labels.tolist()


def test_a_set_of_another_size_is_an_error_with_both_sizes(small_copy, monkeypatch):
    larger = replace(IMAGE_SETS["fashion_mnist"], num_train=61)
    monkeypatch.setitem(IMAGE_SETS, "fashion_mnist", larger)
    with pytest.raises(DataError, match=r"should have 61 images .* found 60x1x28x28"):
        load_images("fashion_mnist")


@pytest.mark.parametrize("zipped", [False, True], ids=["raw", "gz"])
def test_a_truncated_file_is_an_error_with_its_path_and_the_way_out(small_copy, zipped):
    path = small_copy / "t10k-images-idx3-ubyte"
    if zipped:
        zip_in_place(path)
        path = path.with_name(f"{path.name}.gz")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="Delete it and get the data set again") as caught:
        load_images("fashion_mnist")
    assert str(path) in str(caught.value)
    assert "\n  evabench data --get fashion_mnist\n" in str(caught.value)


def test_a_file_with_one_changed_byte_is_not_the_published_one(small_copy):
    path = small_copy / "train-images-idx3-ubyte"
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"is not the published file: md5 [0-9a-f]{32}, expected [0-9a-f]{32}"):
        load_images("fashion_mnist")


def test_a_zipped_file_that_is_not_the_published_one_is_named_as_it_is_called(small_copy):
    path = small_copy / "train-labels-idx1-ubyte"
    path.write_bytes(bytes(68))
    zip_in_place(path)
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte\.gz is not the published file") as caught:
        load_images("fashion_mnist")
    assert "\n  evabench data --get fashion_mnist\n" in str(caught.value)


def test_a_file_that_is_not_there_is_an_error_with_its_path(small_copy):
    (small_copy / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte\.gz cannot be read"):
        load_images("fashion_mnist")


def test_a_zipped_file_that_is_no_zip_is_an_error(small_copy):
    path = small_copy / "t10k-labels-idx1-ubyte"
    path.unlink()
    path.with_name(f"{path.name}.gz").write_bytes(b"<html>Not found</html>")
    with pytest.raises(DataError, match="cannot be read"):
        load_images("fashion_mnist")
