"""Names of plug-ins that point nowhere, and what they are answered with."""

import pytest

from evabench.errors import SuiteError
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.worker.plugin import find_plugin


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
    with pytest.raises(SuiteError, match=r"there is no plug-in file .*mine\.py \(looked in "):
        find_plugin(f"{tmp_path}/mine.py:Mine")


@pytest.mark.parametrize("name", ["mine.py", "mine.py:", ":Mine", ""])
def test_a_name_without_a_place_or_an_object_is_refused_when_the_suite_is_read(name):
    with pytest.raises(ValueError, match=r'name must be "package.module:Name" or "path/to/file.py:Name"'):
        PluginSettings(name=name)
