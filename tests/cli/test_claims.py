"""`evabench claims`: everything that was claimed, and what stored runs say to it."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.in_process import evabench

REFERENCE = Path(__file__).parents[2] / "results/reference"
HUNGRY = """
[[claims]]
id = "frugal"
text = "A step of Eva takes a tenth of the memory of one of SGD."
quantity = "tensor_peak_ratio"
arm = "Eva"
bases = ["SGD"]
relation = "at_most"
value = 0.1
reason = "It cannot."
"""


def test_without_a_suite_it_is_the_whole_ledger_with_what_would_decide_each(tmp_path):
    done = evabench(tmp_path, "claims")
    assert done.returncode == 0, done.stderr
    assert "SOAP-iterations: SOAP against AdamW" in done.stdout
    assert '"In the large batch regime, SOAP reduces the number of iterations by over 40%' in done.stdout
    assert "its exact words could not be read" in done.stdout
    assert "No suite that ships has an arm of MKOR" in done.stdout
    assert "As stated it is decided by, with the time on this host: cifar --tier paper (unknown, " in done.stdout


@pytest.fixture
def claiming(run_once):
    """Return a folder whose suite claims what its stored runs refute: nothing is counted anew for that."""
    with (run_once / "tiny.toml").open("a") as file:
        file.write(HUNGRY)
    return run_once


def test_a_suite_is_answered_with_verdict_effect_and_what_would_decide_the_rest(claiming):
    done = evabench(claiming, "claims", "tiny.toml")
    assert done.returncode == 0, done.stderr
    told = done.stdout
    assert told.index("Claims of this suite") < told.index("frugal: refuted") < told.index("Eva (arXiv:2308.02123)")
    assert "A step of Eva takes" in told
    assert "C1: not tested" in told


def test_a_refuted_claim_is_exit_code_1_where_that_is_asked_for(claiming):
    assert evabench(claiming, "claims", "tiny.toml", "--fail-on-refuted").returncode == 1
    assert evabench(claiming, "report", "tiny.toml", "--fail-on-refuted").returncode == 1


def test_an_open_verdict_is_exit_code_4_where_that_is_asked_for(run_once):
    assert evabench(run_once, "claims", "tiny.toml", "--strict").returncode == 4


def test_runs_of_any_host_are_judged_file_by_file_and_named(tmp_path):
    places = [str(REFERENCE / name) for name in ("memory", "peers")]
    done = evabench(tmp_path, "claims", "--runs", places[0], "--runs", places[1], "--json", "--quiet")
    assert done.returncode in {0, 3}, done.stderr
    assert done.stderr == ""
    sets = json.loads(done.stdout)["answer"]["sets"]
    assert [one["runs"].partition(":")[0] for one in sets] == [f"{place}/runs.jsonl" for place in places]
    assert all("host " in one["runs"] and "torch 2" in one["runs"] for one in sets)
    memory = {entry["claim"]["id"]: entry for group in sets[0]["groups"] for entry in group["entries"]}
    assert memory["C3-growth"]["judgement"]["here"] == "supported"


def test_runs_of_no_suite_that_ships_want_the_name_of_theirs(run_once):
    done = evabench(run_once, "claims", "--runs", "results")
    assert done.returncode == 2
    assert "Name theirs: evabench claims SUITE --runs PATH" in done.stderr
    done = evabench(run_once, "claims", "tiny.toml", "--runs", "results")
    assert done.returncode == 0, done.stderr
    assert "results/tiny/" in done.stdout


def test_one_number_that_holds_against_six_bases_is_told_once(tmp_path):
    done = evabench(tmp_path, "claims", "memory", "--runs", str(REFERENCE / "memory"))
    (line,) = [line for line in done.stdout.splitlines() if "the curvature state of Eva is up to" in line]
    assert line.count("is up to") == 1


DEARER = """
[[claims]]
id = "cheaper"
text = "A step of Eva takes no longer than one of SGD."
quantity = "step_time_ratio"
arm = "Eva"
bases = ["SGD"]
relation = "at_most"
value = 1.0
reason = "1: no dearer."
"""


def test_an_open_claim_of_the_suite_says_how_many_runs_would_decide_it_and_how_long_they_take_here(run_once):
    with (run_once / "tiny.toml").open("a") as file:
        file.write(DEARER)
    told = evabench(run_once, "claims", "tiny.toml").stdout
    assert "cheaper: inconclusive" in told, told
    # How many depends on the noise of the moment, from the least that decides to more than is worth it.
    assert re.search(r"(At this noise about|so close that even) (6|[7-9]|\d\d+) sweeps would (not )?decide it", told)
    entry = json.loads(evabench(run_once, "claims", "tiny.toml", "--json").stdout)["answer"]["sets"][0]["groups"][0]
    more = entry["entries"][0]["more"]
    assert more["num_pairs"] >= 6
    assert more["num_seeds"] is None
    assert more["cost"]["num_runs"] >= 8  # four sweeps of two arms, and again what was disturbed
    assert more["cost"]["seconds"] > 0


def test_every_no_of_an_audit_is_a_line_with_its_reason(tmp_path):
    done = evabench(tmp_path, "claims", "quickstart", "--runs", str(REFERENCE / "quickstart"))
    assert re.search(r"Audit of SGD: \d+ yes, \d+ no, \d+ unknown\.", done.stdout)
    noes = [line.strip() for line in done.stdout.splitlines() if re.search(r"\? no \(.* on mlp\): \w", line)]
    assert len(noes) >= 1


def test_the_terminal_counts_the_claims_of_others_that_are_not_tested(run_once):
    told = evabench(run_once, "show", "tiny.toml").stdout
    (line,) = [line for line in told.splitlines() if "of others" in line]
    assert re.fullmatch(r"\d+ claims of others are not tested here: evabench claims tiny\.toml", line)
    assert "Not tested here:" not in told


THEIRS = """
title = "A paper of ours"
[[claims]]
id = "ours"
text = "A step of Eva takes a tenth of the memory of one of SGD."
source = "our draft, table 3"
quantity = "tensor_peak_ratio"
arm = "eva"
bases = ["sgd"]
relation = "at_most"
value = 0.1
reason = "A tenth is what it says."
"""


def test_the_claims_of_a_file_of_anyone_are_judged_by_the_same_runs(run_once):
    (run_once / "theirs.toml").write_text(THEIRS)
    done = evabench(run_once, "claims", "tiny.toml", "--claims", "theirs.toml", "--strict")
    assert done.returncode == 4, done.stderr
    told = done.stdout[done.stdout.index("A paper of ours") :]
    assert "ours: inconclusive" in told
    assert "small has a weak base: SGD learned nothing" in told
    assert "our draft, table 3" in told
    assert "ours" in evabench(run_once, "report", "tiny.toml", "--claims", "theirs.toml").stdout


def test_a_claim_of_a_file_about_other_optimizers_is_told_and_not_dropped_in_silence(run_once):
    (run_once / "theirs.toml").write_text(THEIRS.replace('"eva"', '"muon"').replace('"sgd"', '"soap"'))
    done = evabench(run_once, "claims", "tiny.toml", "--claims", "theirs.toml")
    assert done.returncode == 0, done.stderr
    assert "has no two optimizers that these compare: ours." in done.stderr


def test_a_file_of_claims_alone_is_told_with_what_would_decide_them(run_once):
    (run_once / "theirs.toml").write_text(THEIRS)
    done = evabench(run_once, "claims", "--claims", "theirs.toml")
    assert done.returncode == 0, done.stderr
    assert "A paper of ours" in done.stdout
    assert "SOAP" not in done.stdout
    assert "it is decided by, with the time on this host" in done.stdout


@pytest.mark.parametrize("verb", ["claims", "show", "report"])
def test_every_mistake_of_all_files_of_claims_is_told_at_once(run_once, verb):
    (run_once / "theirs.toml").write_text(THEIRS.replace('"ours"', '"C1"'))
    (run_once / "more.toml").write_text(THEIRS.replace("value = 0.1", 'value = "much"\nother = [[nan]]'))
    files = ("--claims", "theirs.toml", "--claims", "more.toml", "--claims", "none.toml")
    done = evabench(run_once, verb, "tiny.toml", *files)
    assert done.returncode == 2
    told = done.stderr.splitlines()
    assert any("theirs.toml" in line and "a file that ships has a claim of this id" in line for line in told)
    assert any("more.toml" in line and "value" in line and "number" in line for line in told)
    assert any("more.toml" in line and "other must be a finite number" in line for line in told)
    assert any("none.toml" in line and "No such file" in line for line in told)
