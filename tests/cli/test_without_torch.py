"""Torch stays in the children: no verb imports it, whatever it does."""

import json
import subprocess
import sys

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
import json, sys
from pathlib import Path
from evabench.cli.main import main
calls, answers = json.loads(sys.argv[1]), []
for words in calls:
    sys.argv = ["evabench", *words]
    code = 0
    try:
        main()
    except SystemExit as ended:
        code = ended.code
    answers.append([words, code, "torch" in sys.modules])
Path("answers.json").write_text(json.dumps(answers))
"""
NOTHING_TIMED = 3  # is stored here, and `trend` says so


def without_torch(folder, calls, program=PROGRAM):
    """Return how each call of one process ended, and whether torch was there behind it."""
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(calls)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "answers.json").read_text())


def test_the_parent_never_imports_torch_whatever_the_verb_is(tmp_path):
    (tmp_path / "tiny.toml").write_text(MEMORY_ONLY)
    answers = without_torch(tmp_path, [["run", "tiny.toml"], *EVERY_CALL])
    assert [words for words, _, imported in answers if imported] == []
    right = [(words, 2 if not words else NOTHING_TIMED if "trend" in words else 0) for words, *_ in answers]
    assert [(words, code) for words, code, _ in answers] == right


def test_a_parent_that_imports_torch_would_be_found(tmp_path):
    program = PROGRAM.replace("from evabench.cli", "import torch\nfrom evabench.cli")
    assert without_torch(tmp_path, [["--version"]], program) == [[["--version"], 0, True]]
