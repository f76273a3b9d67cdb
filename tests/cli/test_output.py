"""Where the words go: answers on standard output, notes on standard error, nothing folded in a pipe."""

import json
import subprocess
import sys

import pytest

from tests.cli.in_process import evabench


def test_a_piped_line_is_never_folded(run_once):
    shown = evabench(run_once, "list").stdout.splitlines()
    assert len(shown) == 1 + len({line.split()[0] for line in shown[1:]})  # one line a suite, and the heading
    verdict = next(line for line in evabench(run_once, "claims").stdout.splitlines() if "SOAP reduces" in line)
    assert len(verdict) > 150


def test_a_piped_line_has_no_blanks_up_to_the_edge_of_a_screen(run_once):
    told = evabench(run_once, "show", "tiny.toml").stdout
    assert max(len(line) - len(line.rstrip()) for line in told.splitlines()) < 200


def test_columns_of_the_environment_are_a_wish(run_once, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    assert max(map(len, evabench(run_once, "list").stdout.splitlines())) <= 60


def test_notes_go_to_standard_error_and_quiet_leaves_them_out(run_once):
    done = evabench(run_once, "run", "tiny.toml", "--no-repeat")
    assert "Nothing to run" in done.stderr
    assert "Nothing to run" not in done.stdout
    assert "Eva" in done.stdout
    quiet = evabench(run_once, "run", "tiny.toml", "--no-repeat", "--quiet")
    assert (quiet.stderr, quiet.stdout) == ("", done.stdout)


def test_a_list_has_data_and_claims_and_their_cost_here(run_once):
    rows = {line.split()[0]: line for line in evabench(run_once, "list").stdout.splitlines()}
    assert "cifar10; cifar100; cifar100_stand_in" in rows["cifar"]
    assert "C1; C2-kfac; C2-shampoo" in rows["cifar"]
    assert "sooner; than K-FAC; cheaper" in rows["quickstart"]
    costs = evabench(run_once, "list", "--cost")
    assert costs.returncode == 0, costs.stderr
    rows = {line.split()[0]: line for line in costs.stdout.splitlines()}
    assert "smoke: unknown" in rows["cifar"]
    assert "By stored runs of this host" in costs.stderr


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_probes_tell_the_cost_of_suites_of_which_nothing_is_stored(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "evabench", "list", "--cost", "--probe-seconds", "2", "--json", "--quiet"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    costs = {one["name"]: one["costs"] for one in json.loads(done.stdout)["answer"]["suites"]}
    assert costs["quickstart"][""]["seconds"] > 0
    assert costs["work"]["smoke"]["num_runs"] > 0
