"""The file of targets: a line each, none twice, and nothing is lost or guessed where one is damaged."""

import json

import pytest

from evabench.errors import StoreError
from evabench.store.targets import TargetStore
from tests.runs import target_set_by

BY_SGD, HARDER = target_set_by("SGD"), target_set_by("SGD", 0.25)


@pytest.fixture
def store(tmp_path):
    return TargetStore(tmp_path / "suite" / "host" / "targets.jsonl")


def test_a_file_that_does_not_exist_yet_has_no_targets(store):
    assert store.load() == ()
    store.record([])
    assert not store.path.exists()


def test_a_target_is_written_once_and_loaded_again_equal(store):
    store.record([BY_SGD])
    store.record([BY_SGD, HARDER])
    assert store.load() == (BY_SGD, HARDER)
    assert store.load()[0].hash == BY_SGD.hash
    assert [json.loads(line)["hash"] for line in store.path.read_text().splitlines()] == [BY_SGD.hash, HARDER.hash]


def test_an_edited_line_stays_and_the_target_of_the_runs_is_written_behind_it(store):
    store.record([BY_SGD])
    store.path.write_text(store.path.read_text().replace('"value":0.5', '"value":0.75'))
    store.record([BY_SGD])
    edited, again = store.load()
    assert (edited.value, again) == (0.75, BY_SGD)
    assert edited.hash != BY_SGD.hash


def test_a_torn_last_line_does_not_count_and_is_set_aside(store):
    store.record([BY_SGD])
    with store.path.open("ab") as file:
        file.write('{"schema": 1, "hash": "\u00e9'.encode()[:-1])
    assert store.load() == (BY_SGD,)
    store.record([HARDER])
    assert store.load() == (BY_SGD, HARDER)
    (torn,) = store.path.parent.glob("targets.jsonl.torn-*")
    assert torn.read_bytes().startswith(b'{"schema": 1')


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"no JSON", "this is no target of evabench"),
        (b"[]", "this is no target of evabench"),
        (b"[" * 100_000, "this is no target of evabench"),
        (b'{"schema": 1}', "the line is damaged"),
        (b'{"schema": 1, "target": {"value": "low"}}', "the line is damaged"),
        (b'{"schema": 99, "target": {}}', "schema 99 is not known here"),
        (b"\xff\xfe", "this is no text"),
    ],
)
def test_a_damaged_line_is_an_error_with_its_place_and_nothing_is_written(store, line, told):
    store.record([BY_SGD])
    with store.path.open("ab") as file:
        file.write(line + b"\n")
    before = store.path.read_bytes()
    with pytest.raises(StoreError, match=rf"targets\.jsonl, line 2: {told}"):
        store.record([HARDER])
    assert store.path.read_bytes() == before


def test_a_folder_in_the_place_of_the_file_is_an_error_and_no_traceback(store):
    store.path.mkdir(parents=True)
    with pytest.raises(StoreError, match=r"targets\.jsonl: it cannot be read: Is a directory"):
        store.load()
