"""Sides that ask for other packages each get their own, over what is installed."""

import subprocess
import sys
import zipfile

import pytest

from evabench.errors import GateError
from evabench.gate.environments import environments_of
from tests.gate.test_dependencies import side

SAME = dict.fromkeys(("base", "head"), sys.executable)


def wheel(folder, version):
    """A package without a build: one module, which says its version."""
    path = folder / f"tiny-{version}-py3-none-any.whl"
    meta = f"tiny-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("tiny.py", f"VERSION = '{version}'\n")
        file.writestr(f"{meta}/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n")
        file.writestr(f"{meta}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{meta}/RECORD", "")
    return path


def test_each_side_has_the_version_that_it_asks_for_over_what_is_installed(tmp_path):
    one, two = (wheel(tmp_path, version) for version in ("1.0", "2.0"))
    project = '[project]\nname = "mine"\ndependencies = ["tiny @ file://{}", "numpy"]\n'
    places = {
        "base": side(tmp_path / "a", {"pyproject.toml": project.format(one)}),
        "head": side(tmp_path / "b", {"requirements.txt": f"tiny @ file://{two}\n"}),
    }
    found = environments_of(SAME, places, tmp_path, lambda line: None)
    assert {name: packages["tiny"] for name, packages in found.packages.items()} == {"base": "1.0", "head": "2.0"}
    assert found.made.endswith("base / head: tiny 1.0 / 2.0.")
    program = "import numpy, pydantic, tiny; print(tiny.VERSION)"
    said = subprocess.run([found.pythons["head"], "-c", program], capture_output=True, text=True, check=True).stdout
    assert said == "2.0\n"


def test_sides_that_ask_for_the_same_run_with_what_was_given(tmp_path):
    places = {name: side(tmp_path / name, {"requirements.txt": "numpy"}) for name in ("base", "head")}
    assert environments_of(SAME, places, tmp_path, lambda line: None).pythons == SAME


def test_of_a_lock_file_nothing_is_made_and_that_is_told(tmp_path):
    places = {name: side(tmp_path / name, {"uv.lock": name}) for name in ("base", "head")}
    found = environments_of(SAME, places, tmp_path, lambda line: None)
    assert (found.pythons, found.differing, found.made) == (SAME, ("uv.lock",), None)


def test_interpreters_that_were_named_are_used_whatever_the_sides_ask_for(tmp_path):
    places = {name: side(tmp_path / name, {"requirements.txt": name}) for name in ("base", "head")}
    named = {"base": "python3.11", "head": "python3.12"}
    assert environments_of(named, places, tmp_path, lambda line: None).pythons == named


@pytest.mark.long
def test_what_cannot_be_installed_is_named_with_the_way_out(tmp_path):
    places = {
        "base": side(tmp_path / "a", {"requirements.txt": ""}),
        "head": side(tmp_path / "b", {"requirements.txt": f"{tmp_path}/no-such.whl\n"}),
    }
    with pytest.raises(GateError, match=r"for the head:[\s\S]*--head-python PATH"):
        environments_of(SAME, places, tmp_path, lambda line: None)
