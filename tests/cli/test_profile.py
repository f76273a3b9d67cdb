"""`evabench profile` from end to end: a planted operator, its trace, and a user's mistakes."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from evabench.cli.profile import _trace

SLOW = Path(__file__).parent / "slow.py"
SUITE = f"""
name = "small"
title = "Two arms"
description = "A net of a few milliseconds."

[workloads.net]
workload = "autoencoder"
data = "fashion_mnist_subset"
widths = [784, 16, 4]
batch = 50

[arms.SGD]
optimizer = "sgd"
lr = 0.1

[arms.Slow]
optimizer = "plugin"
name = "{SLOW}:SlowBackward"
options = {{ lr = 0.1 }}
takes_model = false

[step_time]
sweeps = 1
"""


def profile(folder, *words):
    (folder / "small.toml").write_text(SUITE)
    return subprocess.run(
        [sys.executable, "-m", "evabench", "profile", "small.toml", *words],
        cwd=folder,
        env={**os.environ, "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("profile")
    done = profile(folder, "net", "Slow", "--against", "SGD", "--steps", "9")
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def rows_below(text, title):
    lines = text.splitlines()
    return lines[next(number for number, line in enumerate(lines) if line.startswith(title)) + 2 :]


def test_a_planted_operator_is_at_the_top_in_its_phase(made):
    assert rows_below(made[1], "Slow: the most expensive operators")[0].split()[:2] == [
        "backward",
        "aten::_linalg_eigh",
    ]


def test_it_is_named_as_the_reason_why_the_other_arm_is_faster(made):
    assert rows_below(made[1], "Why Slow is slower than SGD, or faster: phases")[0].startswith("backward")
    operators = rows_below(made[1], "Why Slow is slower than SGD, or faster: operators")
    assert operators[0].split()[:2] == ["backward", "aten::_linalg_eigh"]
    assert operators[0].split()[-3:] == ["1", "/", "-"]


def test_the_cost_of_the_profiler_is_shown_and_the_numbers_are_called_a_diagnosis(made):
    assert made[1].count("x an unprofiled one (9 steps in whole refresh cycles). A diagnosis") == 2


def test_the_trace_is_where_it_says_and_shows_the_planted_operator_inside_the_phase(made):
    folder, text = made
    trace = Path(text.splitlines()[-2])
    assert trace == folder / "reports" / "small" / "trace-net-Slow.json.gz"
    events = [event for event in json.loads(gzip.decompress(trace.read_bytes()))["traceEvents"] if event["ph"] == "X"]
    (_, backward, *_) = [event for event in events if event["name"] == "evabench phase backward"]
    (_, planted, *_) = [event for event in events if event["name"] == "aten::linalg_eigvalsh"]
    assert backward["ts"] <= planted["ts"]
    assert planted["ts"] + planted["dur"] <= backward["ts"] + backward["dur"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("mnist", "SGD"), 'the suite small has no workload "mnist". It has: net'),
        (("net", "Eva"), 'the suite small has no arm "Eva". It has: SGD, Slow'),
        (("net", "SGD", "--against", "Eva"), 'the suite small has no arm "Eva". It has: SGD, Slow'),
    ],
)
def test_a_mistake_is_one_message(tmp_path, words, message):
    done = profile(tmp_path, *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_made_has_the_exit_code_of_output(tmp_path):
    done = profile(tmp_path, "net", "SGD", "--output", "small.toml")
    assert done.returncode == 6
    assert "it cannot be written: Not a directory. Make room for it, or choose another folder: --output" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_arms_whose_names_differ_in_a_sign_have_two_traces(tmp_path):
    assert _trace(tmp_path, "net", "SGD (slow)") != _trace(tmp_path, "net", "SGD [slow]")
    assert _trace(tmp_path, "net", "K-FAC@10").name == "trace-net-K-FAC@10.json.gz"


def test_as_json_it_is_one_object_with_the_operators_of_each_arm(tmp_path):
    done = profile(tmp_path, "net", "Slow", "--against", "SGD", "--steps", "3", "--json", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert (told["verb"], told["answer"]["workload"]) == ("profile", "net")
    slow, plain = told["answer"]["arms"]
    assert (slow["arm"], plain["arm"]) == ("Slow", "SGD")
    assert slow["operators"][0]["name"] == "aten::_linalg_eigh"
    assert Path(slow["trace"]).exists()


def test_an_arm_with_a_name_of_ten_kilobytes_has_a_trace_that_a_disk_can_hold(tmp_path):
    assert len(_trace(tmp_path, "net", "x" * 10_000).name) < 200
