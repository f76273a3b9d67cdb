"""What files with mistakes are answered with: our words, never those of a library, and no address of one."""

import pytest

from evabench.claims.reading import read_claims
from evabench.errors import EvabenchError
from evabench.gate.baseline import read_baseline
from evabench.gate.noise_file import read_noise
from evabench.store.files import RunStore
from evabench.suite.reading import read_suite

WRONG = [
    "{",
    "[]",
    "null",
    '{"suite": 1, "schema": "x", "measured": {"a": []}}',
    "name = 1",
    '[arms.SGD]\noptimizer = "sgd"\nlr = "fast"\nmomentum = [1]\n[workloads]\nx = 1\n',
    '[workloads.mlp]\nworkload = "nothing"\n[step_time]\nsweeps = 0.5\n[convergence]\nseeds = true\n',
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
