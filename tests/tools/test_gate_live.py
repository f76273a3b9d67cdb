"""Whole gates under load: the change that they judge is one, and their table counts how they ended."""

import ast
import json
from pathlib import Path

import pytest

from tools.gate_live import FILE, OUT, changed, table


def loops_of(text):
    update = next(node for node in ast.walk(ast.parse(text)) if getattr(node, "name", None) == "_update_")
    return [node for node in ast.walk(update) if isinstance(node, ast.While)]


def test_an_equal_head_differs_by_a_remark_and_runs_the_same_code():
    text = Path(FILE).read_text()
    assert changed(text, 0.0) != text
    assert ast.dump(ast.parse(changed(text, 0.0))) == ast.dump(ast.parse(text))


def test_a_slower_head_loops_inside_its_own_step_for_as_long_as_was_asked():
    text = changed(Path(FILE).read_text(), 0.00125)
    (loop,) = loops_of(text)
    assert ast.unparse(loop.test) == "thread_time() < end"
    assert "end = thread_time() + 0.00125" in text
    assert "\nfrom time import thread_time\n" in text


def test_a_file_without_the_place_of_the_change_is_no_equal_head():
    with pytest.raises(AssertionError, match="no single place"):
        changed("x = 1\n", 0.1)


def gate(slower, code, own_time, step):
    timed = [{"layer": "own_time", "answer": own_time, "pairs": [0] * 9}]
    timed.append({"layer": "step", "answer": step, "pairs": [0] * 14})
    return {"slower": slower, "exit": code, "load_average": 4.0, "gate": {"report": {"timed": timed, "seconds": 90.0}}}


def test_the_table_has_a_row_for_each_slow_down_with_what_each_layer_said():
    lines = [gate(0.0, 0, "pass", "pass"), gate(0.0, 0, "pass", "inconclusive"), gate(0.2, 1, "regression", "pass")]
    assert table(lines).splitlines()[2:] == [
        "| +0% | 2 | 2 exit 0 | 2 pass | 1 pass, 1 inconclusive | 14 | 90 | 4.0 |",
        "| +20% | 1 | 1 exit 1 | 1 regression | 1 pass | 14 | 90 | 4.0 |",
    ]


def test_the_docs_have_the_table_of_the_gates_that_were_made_and_no_equal_sides_were_called_slower():
    lines = [json.loads(line) for line in OUT.read_text().splitlines()]
    assert table(lines) in Path("docs/gate.md").read_text()
    made = [(line["slower"], line["exit"]) for line in lines]
    assert [made.count((slower, 1)) for slower in (0.0, 0.1, 0.2)] == [0, 4, 5]
    assert all(test["answer"] != "pass" for line in lines if line["slower"] for test in line["gate"]["report"]["timed"])
