"""Two callables as pairs, and files that were not."""

import json
import random
import subprocess
import sys
from dataclasses import dataclass, field

import pytest

from evabench.errors import GateError
from evabench.gate.benchmark_files import UNPAIRED, compare_files
from evabench.gate.paired_benchmark import PairedBenchmark


@dataclass
class FakeClock:
    """Time passes where a call says so."""

    seconds: float = 0.0
    draw: random.Random = field(default_factory=lambda: random.Random(1))

    def now(self):
        return self.seconds

    def call(self, seconds, sd=0.01):
        def called():
            self.seconds += seconds * (1 + self.draw.gauss(0, sd))

        return called


def answer(base, head, sd=0.01):
    clock, failures = FakeClock(), []
    timed = PairedBenchmark(name="test_x", tell=lambda one: None, fail=failures.append, now=clock.now)
    return timed(clock.call(base, sd), clock.call(head, sd)), failures


def test_equal_callables_pass():
    found, failures = answer(1e-3, 1e-3)
    assert (found.answer, failures) == ("pass", [])


def test_a_slower_one_fails_once_fresh_pairs_have_confirmed_it():
    found, failures = answer(1e-3, 1.2e-3)
    assert found.answer == "regression"
    assert failures == [found.sentence]
    assert found.sentence.startswith("test_x: regression: head / base is 1.")


def test_a_clock_that_is_too_noisy_decides_nothing():
    found, failures = answer(10.0, 10.0, sd=0.3)
    assert (found.answer, failures) == ("too noisy", [])


TESTS = """
clock = [0.0]

def spin(seconds):
    clock[0] += seconds

def test_slower(paired_benchmark):
    paired_benchmark.now = lambda: clock[0]
    paired_benchmark(lambda: spin(0.002), lambda: spin(0.004))
"""


@pytest.mark.parametrize(("options", "code"), [([], 0), (["--evabench-gate"], 1)])
def test_a_regression_fails_its_test_only_where_that_is_asked_for(tmp_path, options, code):
    (tmp_path / "test_it.py").write_text(TESTS)
    plugins = ["-p", "no:evabench", "-p", "evabench.pytest_plugin"]
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugins, *options, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == code, done.stdout + done.stderr
    assert "test_slower: regression: head / base is" in done.stdout


def file_of(tmp_path, name, seconds, node="a"):
    path = tmp_path / name
    benchmarks = [{"fullname": key, "stats": {"median": value, "data": []}} for key, value in seconds.items()]
    path.write_text(json.dumps({"machine_info": {"node": node}, "benchmarks": benchmarks}))
    return path


def test_two_files_are_unpaired_and_that_is_said_first(tmp_path):
    base = file_of(tmp_path, "a.json", {"t.py::x": 0.01, "t.py::gone": 1.0})
    found = compare_files(base, file_of(tmp_path, "b.json", {"t.py::x": 0.02, "t.py::new": 1.0}, node="b"))
    assert found.warnings == (UNPAIRED, "They are of different machines: a and b.")
    assert [(one.name, one.ratio) for one in found.both] == [("t.py::x", 2.0)]
    assert (found.base_only, found.head_only) == (("t.py::gone",), ("t.py::new",))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"benchmarks": [{}]}', '{"benchmarks": [{"fullname": "x", "stats": 1}]}']
)
def test_another_file_is_refused(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(GateError):
        compare_files(path, path)
