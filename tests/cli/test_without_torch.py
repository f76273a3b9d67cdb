"""Torch stays in the children: no verb imports it, whatever it does."""

import subprocess
import sys

import pytest

from evabench.cli.verbs import VERBS
from tests.cli.test_run import SUITE

MEMORY_ONLY = SUITE[: SUITE.index("[step_time]")] + "[memory]\n"

# How each verb is called on the suite that lies, run once, in the folder; a verb without a line is called bare.
CALLS = {
    "run": [["tiny.toml"], ["tiny.toml", "--dry-run"]],
    "show": [["tiny.toml"]],
    "report": [["tiny.toml"]],
    "doctor": [["--pairs", "0"]],  # with pairs: `test_doctor.py`
    "profile": [["tiny.toml", "small", "SGD", "--steps", "1"]],
    "export": [["tiny", "--format", "csv"], ["tiny", "--what", "ratios", "--metric", "peak", "--format", "latex"]],
    "compare": [["results", "results"]],
    "trend": [["results"]],
    "gate": [["--help"]],
    "data": [[], ["fashion_mnist_subset"]],
}
EVERY_CALL = [
    [],
    ["--help"],
    ["--version"],
    *([verb, *words] for verb in sorted(VERBS) for words in CALLS.get(verb, [[]])),
]

PROGRAM = """
import sys
from evabench.cli.main import main
sys.argv = ["evabench", *sys.argv[1:]]
code = 0
try:
    main()
except SystemExit as ended:
    code = ended.code
assert "torch" not in sys.modules, "the parent imported torch"
sys.exit(code)
"""


def without_torch(folder, *words):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *words], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a suite that was really run, by a parent without torch."""
    folder = tmp_path_factory.mktemp("stored")
    (folder / "tiny.toml").write_text(MEMORY_ONLY)
    done = without_torch(folder, "run", "tiny.toml")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("words", EVERY_CALL, ids=lambda words: " ".join(words) or "(nothing)")
def test_the_parent_never_imports_torch(words, folder):
    done = without_torch(folder, *words)
    assert "the parent imported torch" not in done.stderr
    nothing_timed = 3  # is stored here, and `trend` says so
    assert done.returncode == (2 if not words else nothing_timed if "trend" in words else 0), done.stderr


def test_a_parent_that_imports_torch_would_be_found(tmp_path):
    program = PROGRAM.replace("from evabench.cli", "import torch\nfrom evabench.cli")
    words = [sys.executable, "-c", program, "--version"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "the parent imported torch" in done.stderr
