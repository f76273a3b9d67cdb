"""The store that the benchmark of the parent makes: `make test` keeps it in step with plans and records."""

from evabench.machine.host import read_host
from evabench.runner.plan import make_plan
from evabench.store.files import RunStore
from evabench.suite.reading import load_suite
from tests.benchmarks.large_store import SUITE, write_store


def test_it_holds_all_that_its_suite_asks_for(tmp_path):
    num_runs = write_store(tmp_path, 1)
    (path,) = tmp_path.glob("results/large/*/runs.jsonl")
    plan = make_plan(load_suite(str(tmp_path / SUITE)), RunStore(path).load(), read_host(), repeat=False)
    assert (plan.num_runs, len(plan.stored)) == (0, num_runs)
