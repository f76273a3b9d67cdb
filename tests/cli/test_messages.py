"""What files with mistakes are answered with: our words, never those of a library, and no address of one."""

from pathlib import Path

import pytest

from evabench.claims.reading import read_claims
from evabench.errors import EvabenchError
from evabench.gate.baseline import read_baseline
from evabench.gate.noise_file import read_noise
from evabench.store.files import RunStore
from evabench.suite.reading import read_suite
from tests.cli.in_process import evabench

REFERENCE = Path(__file__).parents[2] / "results" / "reference" / "quadratic"

WRONG = [
    "{",
    "[]",
    "null",
    '{"suite": 1, "schema": "x", "measured": {"a": []}}',
    "name = 1",
    '[arms.SGD]\noptimizer = "sgd"\nlr = "fast"\nmomentum = [1]\n[workloads]\nx = 1\n',
    '[workloads.mlp]\nworkload = "nothing"\n[step_time]\nsweeps = 0.5\n[convergence]\nseeds = true\n',
    f"name = {'[' * 3000}",
    f"name = {'[' * 300}{']' * 300}",
    f"name = {'9' * 5000}",
    "name = 2026-13-45T99:99:99",
    '[[claims]]\nid = 3\nquantity = "speed"\nrelation = 1\nvalue = "x"\nconditions = [1]\n',
]


def message_of(read, path):
    try:
        found = read(path)
    except EvabenchError as error:
        return str(error)
    return " ".join(getattr(found, "notes", ()))


@pytest.mark.parametrize("text", WRONG)
@pytest.mark.parametrize(
    "read",
    [lambda path: read_suite(str(path)), read_claims, read_baseline, read_noise, lambda path: RunStore(path).read()],
    ids=["suite", "claims", "baseline", "noise", "runs"],
)
def test_a_file_with_mistakes_is_answered_in_words_of_ours(tmp_path, read, text):
    path = tmp_path / "file.toml"
    path.write_text(text + "\n")
    told = message_of(read, path)
    assert str(path) in told or "line 1" in told
    for foreign in ("pydantic", "https://", "Input should", "validation error", "ctx", "[type="):
        assert foreign not in told


@pytest.mark.parametrize(
    "words",
    [
        ("show", "{}"),
        ("show", "quickstart", "--runs", "{}"),
        ("show", "quickstart", "--results", "{}"),
        ("claims", "--runs", "{}"),
        ("claims", "--claims", "{}"),
        ("compare", "{}", "{}"),
        ("export", "{}"),
        ("export", str(REFERENCE), "--output", "{}"),
        ("trend", "{}"),
        ("gate", "{}"),
    ],
    ids=lambda words: words[0],
)
def test_a_place_whose_name_no_disk_can_hold_is_a_message(tmp_path, words):
    done = evabench(tmp_path, *(word.format("x" * 10_000) for word in words))
    assert done.returncode in {2, 3, 6}
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith(("evabench: error: ", "Nothing is stored"))


def test_minutes_by_results_under_a_name_that_no_disk_can_hold_are_those_of_no_run(tmp_path):
    found = evabench(tmp_path, "list", "--cost", "--json", "--quiet", "--results", "x" * 10_000)
    assert (found.returncode, found.stderr) == (0, "")
    assert '"num_unknown": 0' not in found.stdout
