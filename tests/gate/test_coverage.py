"""What a pass did not cover, line by line."""

import sys

import pytest

from evabench.gate.coverage import changed_statements, cover, statements_of, without
from evabench.gate.sides import PACKAGE, SideCode
from evabench.records.cell import Cell
from evabench.records.measurement import StepTimeSettings
from evabench.settings.plugin_files import PluginPlace, plugin_hash
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.synthetic import SyntheticSettings

TEXT = '''"""Words."""

def f(
    a,
):
    """More words."""
    # a comment
    if a:
        return (
            1 +
            2
        )
    return 3
'''


def lines(spans):
    return [(span.start, span.stop - 1) for span in spans]


def test_a_statement_has_all_its_lines_and_one_with_a_body_those_of_its_head():
    assert lines(statements_of(TEXT)) == [(3, 5), (8, 8), (9, 12), (13, 13)]


def test_what_is_no_python_has_no_statements():
    assert statements_of("def (") == []


def test_a_statement_was_executed_where_one_of_its_lines_was():
    left = without({"a.py": statements_of(TEXT)}, [{"a.py": frozenset({3, 8})}, {"a.py": frozenset({10})}])
    assert {file: lines(spans) for file, spans in left.items()} == {"a.py": [(13, 13)]}


def project(tmp_path, files):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return SideCode(title="head", folder=tmp_path, package=PACKAGE, ahead=(tmp_path,), python=sys.executable)


def test_comments_docstrings_tests_and_other_files_are_no_code_that_could_be_covered(tmp_path):
    code = project(tmp_path, {"a.py": TEXT, "tests/test_a.py": TEXT, "b.md": "words", "test_b.py": "x = 1"})
    changed = dict.fromkeys(["a.py", "tests/test_a.py", "b.md", "test_b.py", "gone.py"], frozenset(range(1, 14)))
    assert list(changed_statements(changed, code)) == ["a.py"]
    assert changed_statements({"a.py": frozenset({1, 2, 6, 7})}, code) == {}


def test_of_evabench_itself_only_what_runs_in_a_child_can_be_covered(tmp_path):
    files = {"evabench/records/request.py": "PROTOCOL = 1\n", "evabench/optimizers/a.py": "x = 1\n"}
    project(tmp_path, files | {"evabench/cli/a.py": "x = 1\n", "tools/a.py": "x = 1\n"})
    code = SideCode(title="head", folder=tmp_path, package=tmp_path / "evabench", python=sys.executable)
    changed = dict.fromkeys(["evabench/optimizers/a.py", "evabench/cli/a.py", "tools/a.py"], frozenset({1}))
    assert list(changed_statements(changed, code)) == ["evabench/optimizers/a.py"]


MINE = """
from torch.optim import SGD


class Mine(SGD):
    def step(self, closure=None):
        if self.param_groups[0]["lr"] > 1:
            self.loud = True
        return super().step(closure)

    def never(self):
        return 1
"""


@pytest.mark.long
def test_lines_that_no_cell_executes_are_told(tmp_path):
    code = project(tmp_path / "side", {"mine.py": MINE})
    place = PluginPlace(folder=str(code.folder), hash=plugin_hash("mine:Mine", code.folder, code.ahead))
    cell = Cell(
        workload_name="small",
        workload=SyntheticSettings(width=8, depth=1, batch=4),
        arm="Mine",
        optimizer=PluginSettings(name="mine:Mine", options={"lr": 0.01}, lies=place),
        measurement=StepTimeSettings(),
    )
    found = cover({"mine.py": frozenset(range(1, 13))}, {"small, Mine": cell}, {}, code, tmp_path, 60.0)
    assert found.reason is None
    assert [one.lines for one in found.uncovered] == [(8, 12)]
