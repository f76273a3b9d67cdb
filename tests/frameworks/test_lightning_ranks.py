"""Real Lightning on two ranks of gloo, each a process that Lightning starts: they train as one process does."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.frameworks.lightning_program import BUILDS

PROGRAM = Path(__file__).with_name("lightning_program.py")
ROOT = Path(__file__).parents[2]


def train(folder, devices):
    """Return what the program has printed: the last parameters of every optimizer, by name."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    place = {"PYTHONPATH": str(ROOT), "MASTER_ADDR": "localhost", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(PROGRAM), str(devices), str(folder / f"{devices}.json")],
        env=os.environ | place,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / f"{devices}.json").read_text())


@pytest.mark.long
def test_two_ranks_of_lightning_train_as_one_process_does(tmp_path):
    one, two = train(tmp_path, 1), train(tmp_path, 2)
    assert list(two) == list(BUILDS)
    for name, expected in one.items():
        assert two[name] == pytest.approx(expected, rel=1e-3, abs=1e-5), name
