"""Suites: every mistake of a file at once, with its place and the way out."""

import pytest

from evabench.errors import SuiteError
from evabench.suite import load_suite, shipped_suites

GOOD = """
name = "mine"
title = "Mine"
description = "A test."

[workloads.small]
workload = "autoencoder"
widths = [784, 20, 5]
batch = 100

[arms.SGD]
optimizer = "sgd"
lr = 0.1

[arms.Eva]
optimizer = "eva"

[step_time]
sweeps = 6

[memory]
width_scales = [0.2, 1.0]

[convergence]
seeds = 3
epochs = 2
evaluate_every = 8
"""


def write(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return str(path)


def mistakes(tmp_path, text):
    with pytest.raises(SuiteError) as caught:
        load_suite(write(tmp_path, text))
    return str(caught.value)


@pytest.mark.parametrize("name", shipped_suites())
def test_every_suite_that_ships_loads(name):
    suite = load_suite(name)
    assert suite.name == name
    assert suite.timing_cells()


def test_a_suite_has_a_cell_for_each_workload_arm_and_measurement(tmp_path):
    suite = load_suite(write(tmp_path, GOOD))
    assert [cell.arm for cell in suite.timing_cells()] == ["SGD", "Eva"]
    assert [(cell.workload_name, cell.workload.widths) for cell in suite.memory_cells()][::2] == [
        ("small x0.2", (784, 4, 1)),
        ("small", (784, 20, 5)),
    ]
    assert [cell.measurement.steps for cell in suite.convergence_cells()] == [180, 180]


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path):
    text = (
        GOOD.replace("lr = 0.1", "lr = -1")
        .replace('optimizer = "eva"', 'optimizer = "eva"\ndampening = 2\nmomentum = "high"')
        .replace("seeds = 3", "seeds = 0")
    )
    told = mistakes(tmp_path, text + '\n[arms.Magic]\noptimizer = "magic"\n\n[arms.None]\nlr = 1\n').splitlines()
    assert len(told) == 6
    assert all("mine.toml: [" in line for line in told)
    assert any("[arms.SGD]: lr must be > 0, got -1" in line for line in told)
    assert any("[arms.Eva] has no setting dampening. It has: " in line and "damping" in line for line in told)
    assert any("[arms.Eva]: momentum: Input should be a valid number, got 'high'" in line for line in told)
    assert any("[arms.Magic]: optimizer magic is unknown. Known: 'sgd', 'adamw', 'eva'" in line for line in told)
    assert any("[arms.None]: optimizer is missing" in line for line in told)
    assert any("[convergence]: seeds must be >= 1, got 0" in line for line in told)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('title = "Mine"', "", "top level: title is missing"),
        ("batch = 100", "batch = 99999", r"batch must be at most 9000"),
        ("widths = [784, 20, 5]", "widths = [100, 20]", "widths must begin with 784"),
        ("width_scales = [0.2, 1.0]", "width_scales = [0.3]", "are not whole numbers"),
        ("evaluate_every = 8", "evaluate_every = 999", "evaluate_every must be at most half of steps"),
        ("evaluate_every = 8", 'evaluate_every = 8\nwithout = ["Adam"]', '"Adam" is none of SGD, Eva'),
        ("sweeps = 6", "swoops = 6", "It has: sweeps"),
        ("[step_time]", "[step_times]", "top level has no setting step_times"),
        ("sweeps = 6", "sweeps =", "this is no TOML file"),
    ],
)
def test_a_mistake_is_told_with_the_way_out(tmp_path, old, new, told):
    assert told in mistakes(tmp_path, GOOD.replace(old, new))


def test_an_unknown_suite_names_those_that_ship():
    with pytest.raises(SuiteError, match=r"the suites that ship are .*quickstart"):
        load_suite("nonsense")
