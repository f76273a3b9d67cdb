"""The pytest plugin: the fixture `paired_benchmark`, which times two callables as pairs and answers as the gate does.

    def test_the_new_one_is_no_slower(paired_benchmark):
        paired_benchmark(old, new)

With `--evabench-gate` a confirmed regression fails the test. Without it the answer is printed, and nothing fails.
Nothing of evabench is imported before a test asks for the fixture: the plugin is loaded by every pytest.
"""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from evabench.gate.paired_benchmark import PairedAnswer, PairedBenchmark

_TOLD: "pytest.StashKey[list[PairedAnswer]]" = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.getgroup("evabench").addoption(
        "--evabench-gate",
        action="store_true",
        help="A confirmed regression of paired_benchmark(base, head) fails its test; else it is printed.",
    )


@pytest.fixture
def paired_benchmark(request: pytest.FixtureRequest) -> "PairedBenchmark":
    """Return what times two callables as pairs."""
    from evabench.gate.paired_benchmark import PairedBenchmark

    config = request.config
    gates = bool(config.getoption("--evabench-gate"))

    def fail(sentence: str) -> None:
        if gates:
            pytest.fail(sentence, pytrace=False)

    return PairedBenchmark(name=request.node.name, tell=config.stash.setdefault(_TOLD, []).append, fail=fail)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print every answer."""
    told = config.stash.get(_TOLD, [])
    if told:
        terminalreporter.section("paired benchmarks")
        for answer in told:
            terminalreporter.line(answer.sentence)
