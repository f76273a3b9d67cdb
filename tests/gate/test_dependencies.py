"""Sides that need other packages are not compared with those of one interpreter in silence."""

from dataclasses import replace

import pytest

from evabench.errors import ExitCode
from evabench.gate.dependencies import differing_dependencies
from evabench.gate.verdict import exit_code
from tests.gate.test_verdict import REPORT

PROJECT = '[project]\nname = "mine"\ndependencies = ["torch>=2", "numpy"]\n'


def side(folder, files):
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("base", "head", "differing"),
    [
        ({"pyproject.toml": PROJECT}, {"pyproject.toml": PROJECT.replace("mine", "yours")}, ()),
        (
            {"pyproject.toml": PROJECT},
            {"pyproject.toml": PROJECT.replace('"torch>=2", "numpy"', '"numpy", "torch>=2"')},
            (),
        ),
        ({"pyproject.toml": PROJECT}, {"pyproject.toml": PROJECT.replace(">=2", ">=3")}, ("pyproject.toml",)),
        ({}, {"requirements.txt": "torch"}, ("requirements.txt",)),
        ({"uv.lock": "a"}, {"uv.lock": "b"}, ("uv.lock",)),
        ({"pyproject.toml": "["}, {"pyproject.toml": "["}, ()),
        ({}, {"README.md": "words"}, ()),
    ],
)
def test_what_a_side_asks_for_is_compared_and_nothing_else(tmp_path, base, head, differing):
    assert differing_dependencies(side(tmp_path / "a", base), side(tmp_path / "b", head)) == differing


def test_other_packages_are_not_tested_and_never_green_where_the_gate_is_strict():
    report = replace(REPORT, other_dependencies=("uv.lock",))
    assert exit_code(report) is ExitCode.PASS
    assert exit_code(replace(report, strict=True)) is ExitCode.INCONCLUSIVE
