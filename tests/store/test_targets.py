"""The file of targets: a line each, none twice, and a damaged one is told and hides no other."""

import json

import pytest

from evabench.errors import StoreError
from evabench.records.codec import encode
from evabench.records.set_target import SetTarget
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


def test_an_edited_line_is_told_and_the_target_of_the_runs_is_written_behind_it(store):
    store.record([BY_SGD])
    store.path.write_text(store.path.read_text().replace('"value":0.5', '"value":0.75'))
    assert store.load() == ()
    store.record([BY_SGD])
    stored = store.read()
    assert stored.entries == (BY_SGD,)
    assert stored.faults == (
        f"{store.path}, line 1: not used: it was changed after it was written (its checksum does not match).",
    )


def test_a_line_of_before_the_checksums_loads_and_is_counted(store):
    store.path.parent.mkdir(parents=True)
    store.path.write_text(f'{{"schema": 1, "hash": "{BY_SGD.hash}", "target": {encode(SetTarget, BY_SGD)}}}\n')
    store.record([BY_SGD, HARDER])
    stored = store.read()
    assert stored.entries == (BY_SGD, HARDER)
    assert stored.unchecked.startswith(f"1 of the 2 lines of {store.path} are unchecked")


def test_a_target_that_vanished_is_told_and_written_anew(store):
    store.record([BY_SGD, HARDER])
    store.path.write_text(store.path.read_text().splitlines(keepends=True)[0])
    assert store.read().faults[0].startswith(f"{store.path}: its last line, or more, is gone")
    store.record([BY_SGD, HARDER])
    stored = store.read()
    assert stored.entries == (BY_SGD, HARDER)
    assert stored.faults[0].startswith(f"{store.path}, line 2: what was written before is gone")


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
        (b'{"schema": 1}', "the target is damaged"),
        (b'{"schema": 1, "target": {"value": "low"}}', "the target is damaged"),
        (b'{"schema": 99, "target": {}}', "a newer evabench wrote it (schema 99"),
        (b"\xff\xfe", "this is no text"),
    ],
)
def test_a_bad_line_is_told_by_its_number_and_hides_no_other(store, line, told):
    store.record([BY_SGD])
    with store.path.open("ab") as file:
        file.write(line + b"\n")
    store.record([BY_SGD, HARDER])
    stored = store.read()
    assert stored.entries == (BY_SGD, HARDER)
    assert stored.faults[0].startswith(f"{store.path}, line 2: not used: {told}")


def test_a_folder_in_the_place_of_the_file_is_an_error_and_no_traceback(store):
    store.path.mkdir(parents=True)
    with pytest.raises(StoreError, match=r"targets\.jsonl: it cannot be read: Is a directory"):
        store.load()
