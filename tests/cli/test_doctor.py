"""`evabench doctor` from end to end."""

import math
import os
import subprocess
import sys

import pytest

from evabench.cli.doctor import noise_rows
from evabench.machine.host import read_host
from evabench.runner.same_arm import SameArmPair, noise_of_pairs

PROGRAM = """
import sys
from evabench.cli.main import main
sys.argv = ["evabench", *sys.argv[1:]]
try:
    main()
finally:
    assert "torch" not in sys.modules, "the parent imported torch"
"""


def doctor(folder, *words):
    """Call it in a process that must not import torch: with pairs, a launch server does."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, "doctor", *words],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80", "OMP_NUM_THREADS": "3"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What it says after one pair, which is too few for a noise."""
    done = doctor(tmp_path_factory.mktemp("doctor"), "--pairs", "1")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_fits_80_columns(told):
    assert max(map(len, told.splitlines())) <= 80


def test_it_names_the_host_under_which_runs_are_stored(told):
    assert read_host().id in told


def test_it_says_which_thread_variables_the_shell_has(told):
    assert "OMP_NUM_THREADS=3" in told


def test_it_says_how_much_of_the_machine_others_used_while_it_measured(told):
    assert "of the CPU time by other programs, while" in " ".join(told.split())


def test_too_few_pairs_are_no_noise(told):
    assert "1 pair of equal visits" in told
    assert "unknown: it takes 6 pairs" in told


def test_without_pairs_the_noise_is_not_measured_and_says_so(tmp_path):
    done = doctor(tmp_path, "--pairs", "0")
    assert done.returncode == 0
    assert "not measured (--pairs 0)" in done.stdout


def pairs(spread):
    """Eight pairs whose second arm is slower and faster by turns, in both orders."""
    return [
        SameArmPair(
            first_arm_seconds=0.010,
            second_arm_seconds=0.010 * math.exp(spread * step),
            second_arm_came_first=swapped,
        )
        for step in (-2, -1, 1, 2)
        for swapped in (False, True)
    ]


def test_a_quiet_machine_is_told_its_margin_and_what_a_gate_finds():
    made = pairs(0.002)
    rows = noise_rows(made, noise_of_pairs(made), seconds=25.0)
    assert rows["measured"].startswith("8 pairs of equal visits in 25 s: SGD on 784-500-250-125-30 mirrored")
    assert "a slow-down below 3.0% would never be called a regression" in rows["gate"]
    assert "would be found by 9 gates of 10" in rows["gate"]


def test_a_noisy_machine_is_told_that_it_is_too_noisy():
    made = pairs(0.2)
    assert noise_rows(made, noise_of_pairs(made), seconds=25.0)["gate"].startswith("too noisy")
