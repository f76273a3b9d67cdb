"""Start-up: a verb is imported when it is called, and what every call imports is a short list."""

import inspect
import json
import os
import subprocess
import sys

import pytest

from evabench.cli.verbs import VERBS

COMMAND_LINE = {
    "evabench",
    "evabench.cli",
    "evabench.cli.main",
    "evabench.cli.streams",
    "evabench.cli.verbs",
    "evabench.errors",
    "evabench.launch",
    "evabench.launch.descriptors",
}
HEAVY = {"numpy", "scipy", "matplotlib", "torch", "jinja2", "psutil", "filelock"}
LIST = {"evabench.cli.list", "evabench.cli.output", "evabench.suite", "evabench.suite.shipped"}

PROGRAM = """
import importlib, json, sys
module, name, *words = sys.argv[1:]
sys.argv = ["evabench", *words]
try:
    getattr(importlib.import_module(module), name)()
except SystemExit:
    pass
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def imported(module, name, *words):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, module, name, *words], capture_output=True, text=True, check=True
    )
    return {name for name in json.loads(done.stderr) if name.partition(".")[0] not in sys.stdlib_module_names}


@pytest.mark.parametrize("words", ["--help", "--version"])
def test_what_is_imported_is_on_the_list_and_else_only_what_any_typer_app_imports(words):
    of_a_bare_app = imported("tests.bare_app", "app", "--help")
    assert imported("evabench.cli.main", "main", words) - of_a_bare_app == COMMAND_LINE


def test_list_imports_itself_and_nothing_heavy():
    found = imported("evabench.cli.main", "main", "list")
    assert {name for name in found if name.startswith("evabench")} == COMMAND_LINE | LIST
    assert not found & HEAVY


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_is_found_where_the_table_says_and_its_help_is_its_own_first_line(name):
    verb = VERBS[name].load()
    assert verb.__doc__.splitlines()[0] == VERBS[name].help


def test_the_help_of_a_verb_has_its_options():
    done = subprocess.run(
        [sys.executable, "-m", "evabench", "show", "--help"], capture_output=True, text=True, check=True
    )
    assert "--results" in done.stdout
    assert VERBS["show"].help in " ".join(done.stdout.split())


def test_a_misspelt_verb_is_told_with_the_one_that_is_near():
    done = subprocess.run([sys.executable, "-m", "evabench", "shwo"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "show" in done.stderr


@pytest.mark.parametrize("name", VERBS)
def test_an_option_whose_metavar_is_its_name_in_capitals_says_its_name(name):
    # Typer 0.27 takes the metavar for the name there: `--DEVICE`.
    for parameter in inspect.signature(VERBS[name].load()).parameters.values():
        for option in getattr(parameter.annotation, "__metadata__", ()):
            if option.metavar and option.metavar.lower() == parameter.name:
                # Inside `Annotated`, Typer keeps the first name where a default would stand.
                assert f"--{parameter.name}" in (option.default, *option.param_decls)


def test_words_in_brackets_stand_in_the_help():
    done = subprocess.run(
        [sys.executable, "-m", "evabench", "gate", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"COLUMNS": "200"},
    )
    assert "A suite with [gate]: a file" in done.stdout
    assert "[default: the suite's, which is cpu unless it says otherwise]" in done.stdout
