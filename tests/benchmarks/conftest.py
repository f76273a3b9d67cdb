"""Benchmarks run only where they are asked for: `make bench`."""

from pathlib import Path

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config, items):
    if config.getoption("benchmark_only"):
        return
    benchmarks = [item for item in items if item.path.is_relative_to(HERE)]
    items[:] = [item for item in items if item not in benchmarks]
    config.hook.pytest_deselected(items=benchmarks)
