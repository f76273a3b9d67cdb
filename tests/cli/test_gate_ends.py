"""A gate that a service cancels leaves no checkouts behind."""

import subprocess
import sys

PROGRAM = """
import os, signal, tempfile
from evabench.cli.gate import end_on_termination
end_on_termination()
with tempfile.TemporaryDirectory(dir=os.getcwd()):
    os.kill(os.getpid(), signal.SIGTERM)
"""


def test_a_terminated_gate_takes_its_folders_along(tmp_path):
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path)
    assert done.returncode == 143
    assert list(tmp_path.iterdir()) == []
