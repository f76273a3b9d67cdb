"""`--json` of every verb: one object on standard output, with the fields that docs/json.md has."""

import json
from dataclasses import fields

import pytest

from evabench.cli.verbs import VERBS
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
