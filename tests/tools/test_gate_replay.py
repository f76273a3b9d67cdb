"""Gates on recorded pairs: what was drawn keeps its order, and a quiet machine has no false alarm."""

import json
import math

import numpy as np
import pytest

from evabench.gate.rules import STEP
from tools.gate_replay import BLOCK, bootstrap, drawn, others, read_pairs, table, too_noisy, windows
from tools.gate_simulation import CONFIRMED, PASSED


def recorded(tmp_path, num_pairs, sd=0.02):
    random = np.random.default_rng(0)
    path = tmp_path / "pairs.jsonl"
    with path.open("w") as file:
        for number in range(1, num_pairs + 1):
            head = 0.01 * math.exp(random.normal(0, sd))
            pair = {"number": number, "base_first": number % 2 == 1, "base_seconds": 0.01, "head_seconds": head}
            lost = number == 7
            file.write(json.dumps({"step": {"failed": "x"} if lost else pair, "own_time": pair}) + "\n")
    return path


def test_a_failed_pair_is_left_out_and_the_orders_still_alternate(tmp_path):
    assert len(read_pairs(recorded(tmp_path, 20), "own_time")) == 20
    assert len(read_pairs(recorded(tmp_path, 20), "step")) == 18


def test_blocks_are_neighbours_and_begin_with_the_base_first():
    places = drawn(np.random.default_rng(0), 100, 50, 29)
    assert places.shape == (50, 29)
    assert (places[:, ::2] % 2 == 0).all()
    assert (np.diff(places[:, :BLOCK], axis=1) == 1).all()
    assert places.max() < 100


def test_equal_sides_pass_and_a_planted_slow_down_is_found(tmp_path):
    pairs = read_pairs(recorded(tmp_path, 200), "own_time")
    logs = np.log(pairs[:, 1] / pairs[:, 0])
    assert bootstrap(logs, 0.0, 500, 1, STEP).share(PASSED) > 0.95
    assert bootstrap(logs, 0.1, 500, 1, STEP).share(CONFIRMED) > 0.95
    assert too_noisy(logs, 200, STEP) < 0.05
    assert too_noisy(10 * logs, 200, STEP) > 0.95
    failed, num_windows, bound = windows(logs, STEP)
    assert (failed, num_windows) == (0, 3)
    assert bound == pytest.approx(1 - 0.05 ** (1 / 3))
    assert others(pairs, 0.2, 200)["plain 7 %"] == 1.0


def test_the_table_has_both_layers(tmp_path):
    text = table(recorded(tmp_path, 120), 200)
    assert "| step | 1 | +0% | 0.00 |" in text
    assert "| own_time | 10 | +25% |" in text
