"""`--json` of every verb: one object on standard output, with the fields that docs/json.md has."""

import json
from dataclasses import fields

import pytest

from evabench.cli.verbs import VERBS
from evabench.store.files import RunStore
from tests.cli.in_process import evabench
from tools.json_docs import ANSWERS, PAGE, page

# A call of each verb that starts no run; of `profile` and `gate` see their own tests.
CALLS = {
    "claims": ["tiny.toml"],
    "compare": ["SGD", "Eva", "--by", "arm"],
    "data": [],
    "doctor": ["--pairs", "0"],
    "export": ["tiny"],
    "list": [],
    "report": ["tiny.toml"],
    "run": ["tiny.toml", "--no-repeat"],
    "show": ["tiny.toml"],
    "trend": [],
}


def test_the_page_is_as_the_code_has_it():
    assert PAGE.read_text() == page()


def test_every_verb_has_an_answer():
    assert set(ANSWERS) == set(VERBS)
    assert set(CALLS) == set(VERBS) - {"gate", "profile"}


@pytest.mark.parametrize("verb", CALLS)
def test_a_verb_prints_one_object_and_nothing_else(run_once, verb):
    done = evabench(run_once, verb, *CALLS[verb], "--json", "--quiet")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert (told["verb"], told["format"]) == (verb, 1)
    assert set(told["answer"]) == {field.name for field in fields(ANSWERS[verb])}


def test_numbers_are_numbers_and_what_was_not_measured_is_null(run_once):
    (report,) = json.loads(evabench(run_once, "show", "tiny.toml", "--json").stdout)["answer"]["reports"]
    sgd, eva = report["arms"]
    assert (sgd["arm"], sgd["step_ratio"], eva["steps_to_target"]) == ("SGD", None, [])
    assert eva["step_ratio"] > 0
    assert 0 < eva["curvature_state_bytes"] < eva["peak_bytes"]
    assert len(eva["final_losses"]) == 2


def test_what_has_no_end_is_null_and_the_text_stays_json(run_once):
    told = evabench(run_once, "claims", "tiny.toml", "--json").stdout
    for word in ("NaN", "Infinity"):
        assert word not in told


@pytest.mark.parametrize(
    ("verb", "holds"), [("show", "reports"), ("report", "reports"), ("claims", "sets"), ("trend", "series")]
)
def test_where_nothing_is_stored_the_object_says_so_and_the_exit_code_too(run_once, verb, holds):
    (file,) = run_once.glob("results/tiny/*/runs.jsonl")
    if verb == "trend":  # of runs of which none was timed
        file.write_text("".join(line for line in file.read_text().splitlines(True) if "convergence" in line[:3000]))
        store = RunStore(file)
        assert store.load()
    else:
        file.unlink()
    done = evabench(run_once, verb, *([] if verb == "trend" else ["tiny.toml"]), "--json", "--quiet")
    assert (done.returncode, done.stderr) == (3, "")
    answer = json.loads(done.stdout)["answer"]
    assert answer[holds] == []
    if verb != "trend":
        assert "Nothing is stored for tiny on this host" in answer["notes"][0]
        assert "evabench run tiny.toml" in answer["notes"][0]


def test_an_address_is_answered_with_its_runs_and_steps(run_once):
    done = evabench(run_once, "show", "tiny.toml", "--id", "cost.small/Eva/step", "--json", "--quiet")
    assert done.returncode == 0, done.stderr
    (source,) = json.loads(done.stdout)["answer"]["sources"]
    assert source["address"] == "cost.small/Eva/step"
    assert len(source["keys"]) == 2  # sweeps
    assert source["tables"][0]["headings"] == ["arm", "step"]
