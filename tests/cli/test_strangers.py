"""Results of strangers: nothing in them moves a cursor, turns a line around or becomes a tag, whoever tells it."""

import json
from dataclasses import replace

import pytest

from evabench import load
from evabench.records.host import Processor
from evabench.store.files import RunStore
from tests.cli.in_process import evabench

MARKS = ("\x1b", "\x9b", "\u202e", "\u200b", "\x07")
NAME = "=1+1 \x1b[2J\u202e\x9b31m<b>\u200b\x07</b>"
TINY = ("tiny.toml", "--runs", "theirs.jsonl")
VERBS = {
    "show": ("show", *TINY),
    "show an address": ("show", *TINY, "--id", "host"),
    "claims": ("claims", *TINY),
    "report": ("report", *TINY),
    "compare": ("compare", "results", "theirs.jsonl"),
    "compare hosts": ("compare", NAME, "x", "--by", "host", "--runs", "theirs.jsonl"),
    "csv": ("export", "theirs.jsonl"),
    "json": ("export", "theirs.jsonl", "--format", "json"),
    "latex": ("export", "theirs.jsonl", "--format", "latex"),
}


def strange(run):
    host = replace(run.host, processors=(Processor(name=NAME),), gpus=(NAME,), system=NAME)
    return replace(run, host=host, code=replace(run.code, commit=NAME))


@pytest.fixture
def theirs(run_once):
    (file,) = run_once.glob("results/tiny/*/runs.jsonl")
    RunStore(run_once / "theirs.jsonl").append([strange(run) for run in RunStore(file).load()])
    return run_once


def marks_in(text):
    return [mark for mark in MARKS if mark in text]


@pytest.mark.parametrize("verb", VERBS)
def test_what_nobody_can_see_in_a_name_is_spelled_out_wherever_it_is_told(theirs, verb):
    before = {*theirs.rglob("*")}
    done = evabench(theirs, *VERBS[verb])
    assert done.returncode in {0, 2, 3}, done.stderr
    assert marks_in(done.stdout + done.stderr) == []
    for made in {*theirs.rglob("*")} - before:
        assert made.is_dir() or marks_in(made.read_text(encoding="utf-8")) == [], made
        assert made.suffix != ".html" or "<b>" not in made.read_text()


@pytest.mark.parametrize(
    "words",
    [
        ("show", "quickstart", "--runs", "bad.jsonl"),
        ("claims", "--runs", "bad.jsonl"),
        ("compare", "bad.jsonl", "bad.jsonl"),
        ("export", "bad.jsonl"),
    ],
    ids=lambda words: words[0],
)
def test_a_file_of_bad_lines_alone_is_told_to_be_one(tmp_path, words):
    (tmp_path / "bad.jsonl").write_bytes(b"\xff\x00\n{}\n")
    done = evabench(tmp_path, *words)
    assert done.returncode == 2
    assert "bad.jsonl, line 1: not used: this is no text." in done.stderr
    assert "bad.jsonl, line 2: not used: this is no run of evabench." in done.stderr


def test_json_of_a_name_that_nobody_can_see_is_the_name(theirs):
    done = evabench(theirs, "compare", "results", "theirs.jsonl", "--json")
    assert marks_in(done.stdout) == []
    assert any(NAME in sentence for sentence in json.loads(done.stdout)["answer"]["differences"])


@pytest.mark.parametrize(
    "words",
    [
        ("compare", "theirs.jsonl", "theirs.jsonl"),
        ("export", "theirs.jsonl", "--format", "json"),
        ("trend", "theirs.jsonl", "--host", "HOST"),
    ],
)
def test_a_bad_line_among_good_ones_is_told_beside_the_answer(theirs, words):
    file = theirs / "theirs.jsonl"
    host = RunStore(file).load()[0].host.id
    file.write_bytes(file.read_bytes() + b"{}\n")
    number = len(file.read_bytes().splitlines())
    done = evabench(theirs, *(host if word == "HOST" else word for word in words))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(f"theirs.jsonl, line {number}: not used: this is no run of evabench.") == 1


def test_in_a_program_a_bad_line_among_good_ones_is_a_warning(theirs):
    file = theirs / "theirs.jsonl"
    file.write_bytes(file.read_bytes() + b"{}\n")
    with pytest.warns(UserWarning, match="not used: this is no run of evabench"):
        assert len(load(file)) > 0
