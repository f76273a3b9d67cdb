"""Benchmarks run only where they are asked for: `make bench`, and those against a base `make bench-gate`."""

from pathlib import Path

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config, items):
    if config.getoption("benchmark_only"):
        return
    benchmarks = [item for item in items if item.path.is_relative_to(HERE)]
    if config.getoption("evabench_gate", default=False):
        benchmarks = [item for item in benchmarks if "paired_benchmark" not in item.fixturenames]
    items[:] = [item for item in items if item not in benchmarks]
    config.hook.pytest_deselected(items=benchmarks)
