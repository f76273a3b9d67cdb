import subprocess
import sys

import pytest


@pytest.fixture
def run_python():
    """Return what a fresh Python prints."""

    def run(code):
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()

    return run
