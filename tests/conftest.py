"""What is deselected, and what a skip means: with EVABENCH_NO_SKIPS=1, as in `.ci/run`, a skipped test is a failure."""

import os

import hypothesis
import pytest

# How long an example takes says nothing about what it shows: on a busy machine a deadline would fail at random.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")

# The workers of pytest-xdist have 80 columns; what is called in their processes shall see a pipe as a user's is.
os.environ.pop("COLUMNS", None)

NO_SKIPS = os.environ.get("EVABENCH_NO_SKIPS") == "1"
_NUM_CUDA = pytest.StashKey[int]()


def pytest_collection_modifyitems(config, items):
    marked = [item for item in items if item.get_closest_marker("cuda")]
    if not marked or has_cuda():
        return
    items[:] = [item for item in items if item not in marked]
    config.stash[_NUM_CUDA] = len(marked)
    config.hook.pytest_deselected(items=marked)


def has_cuda():
    import torch  # here: where nothing is marked, nobody waits for it

    return torch.cuda.is_available()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    workers_answer = getattr(session.config, "workeroutput", None)
    if workers_answer is not None:
        workers_answer["num_cuda"] = session.config.stash.get(_NUM_CUDA, 0)
    elif NO_SKIPS and skipped(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    # Every worker of pytest-xdist collects the whole suite, so one number is the number.
    node.config.stash[_NUM_CUDA] = getattr(node, "workeroutput", {}).get("num_cuda", 0)


def pytest_terminal_summary(terminalreporter, config):
    if num_cuda := config.stash.get(_NUM_CUDA, 0):
        terminalreporter.write_line(f"{num_cuda} tests marked cuda deselected: there is no CUDA device here")
    reasons = skipped(config)
    if NO_SKIPS and reasons:
        terminalreporter.section("skipped, which is a failure here (EVABENCH_NO_SKIPS=1)", red=True)
    elif reasons:
        terminalreporter.section("skipped")
    for reason in reasons:
        terminalreporter.write_line(reason)


def skipped(config):
    """Return "tests/test_x.py::test_y: reason" of every skipped test; an expected failure is none."""
    reports = config.pluginmanager.get_plugin("terminalreporter").stats.get("skipped", [])
    return sorted(f"{report.nodeid}: {report.longrepr[2].removeprefix('Skipped: ')}" for report in reports)
