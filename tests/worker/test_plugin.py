"""Names of plug-ins that point nowhere, and what they are answered with."""

import pytest

from evabench.errors import PluginChangedError, SuiteError
from evabench.machine.code import read_code
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.store.schema import from_line, to_line
from evabench.suite.reading import read_suite
from evabench.worker.plugin import find_plugin
from tests.runs import run


def test_a_module_that_is_not_installed_is_named_with_the_way_out():
    with pytest.raises(SuiteError, match=r'"no_such_package\.part:Mine": no module no_such_package is installed'):
        find_plugin("no_such_package.part:Mine")


def test_a_module_of_a_package_that_is_there_is_named_in_full():
    with pytest.raises(SuiteError, match=r"no module torch\.no_such_part is installed"):
        find_plugin("torch.no_such_part:Mine")


def test_a_module_that_lacks_something_itself_says_what(tmp_path, monkeypatch):
    (tmp_path / "lacking.py").write_text("import no_such_package\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        find_plugin("lacking:Mine")


def test_a_file_that_is_not_there_is_named_with_the_folder(tmp_path):
    with pytest.raises(
        SuiteError, match=r"there is no plug-in file .*mine\.py: a path is seen from the folder of the suite"
    ):
        find_plugin(f"{tmp_path}/mine.py:Mine")


@pytest.mark.parametrize("name", ["mine.py", "mine.py:", ":Mine", ""])
def test_a_name_without_a_place_or_an_object_is_refused_when_the_suite_is_read(name):
    with pytest.raises(ValueError, match=r'name must be "package.module:Name" or "path/to/file.py:Name"'):
        PluginSettings(name=name)


SUITE = """
name = "mine"
title = "Mine"
description = "A test."
[workloads.small]
workload = "autoencoder"
widths = [784, 4]
batch = 100
[arms.mine]
optimizer = "plugin"
name = "{}"
[memory]
"""


def suite_with(folder, name, **files):
    folder.mkdir(exist_ok=True)
    for stem, text in files.items():
        (folder / f"{stem}.py").write_text(text)
    (folder / "mine.toml").write_text(SUITE.format(name))
    suite = read_suite(str(folder / "mine.toml"))
    return suite.cells("memory")[0]


@pytest.mark.parametrize("name", ["parts/../own_file.py:Mine", "own_module:Mine"])
def test_a_plug_in_is_found_beside_its_suite_from_any_folder(tmp_path, monkeypatch, name):
    (tmp_path / "mine" / "parts").mkdir(parents=True)
    cell = suite_with(tmp_path / "mine", name, own_file="class Mine: ...", own_module="class Mine: ...")
    monkeypatch.chdir("/")
    assert find_plugin(cell.optimizer.name, cell.optimizer.lies).__name__ == "Mine"
    assert read_code(cell).hashes["plug-in optimizer"] == cell.optimizer.lies.hash


def test_a_suite_and_its_plug_in_in_another_folder_are_the_same(tmp_path):
    here, there = (suite_with(tmp_path / name, "own.py:Mine", own="class Mine: ...") for name in ("here", "there"))
    assert here.identity == there.identity
    assert read_code(here).identity == read_code(there).identity


def test_a_plug_in_that_changes_behind_the_reading_of_the_suite_is_refused_with_the_way_out(tmp_path):
    cell = suite_with(tmp_path, "own_edited.py:Mine", own_edited="from own_part import Mine", own_part="Mine = 1")
    assert find_plugin(cell.optimizer.name, cell.optimizer.lies) == 1
    (tmp_path / "own_part.py").write_text("Mine = 2")
    with pytest.raises(PluginChangedError, match=r"was changed after the suite had been read: run the command again"):
        find_plugin(cell.optimizer.name, cell.optimizer.lies)


def test_the_folder_of_a_plug_in_is_not_stored(tmp_path):
    cell = suite_with(tmp_path, "own.py:Mine", own="class Mine: ...")
    line = to_line(run(optimizer=cell.optimizer))
    assert str(tmp_path) not in line
    assert from_line(line).cell.optimizer == cell.optimizer


def test_a_suite_cannot_say_where_its_plug_in_lies(tmp_path):
    with pytest.raises(SuiteError, match=r"\[arms.mine\] has no setting lies"):
        suite_with(tmp_path, 'own.py:Mine"\nlies = { folder = "/", hash = "1" }\noptions.x = "')
