"""`evabench trend`: an alert for each shift, a chart for each workload, and no failure."""

import pytest

from evabench.store.files import RunStore
from tests.cli.in_process import evabench
from tests.findings.test_history import SLOWER, history
from tests.runs import HOST


@pytest.fixture
def stored(tmp_path):
    RunStore(tmp_path / "results/own/here/runs.jsonl").append([*history("Eva", SLOWER), *history("SGD", SLOWER[:3])])
    return tmp_path


def test_a_shift_is_an_alert_with_a_chart_and_no_failure(stored):
    done = evabench(stored, "trend", "--host", HOST.id)
    assert done.returncode == 0, done.stderr
    assert "ALERT autoencoder, Eva (torch 2.6): 10% slower from 050505050 on" in done.stdout
    assert "autoencoder, SGD (torch 2.6): 3 codes were measured; a shift needs 8." in done.stdout
    for theme in ("light", "dark"):
        assert "<svg" in (stored / f"reports/trend/autoencoder-{theme}.svg").read_text()


def test_another_host_is_never_pooled_and_the_known_ones_are_named(stored):
    done = evabench(stored, "trend", "--host", "other")
    assert done.returncode == 2
    assert f"no run of the host other is there. There are: {HOST.id}" in done.stderr
