"""Files for other programs: read back they are the frame, and hostile text stays text."""

import json
import math
from dataclasses import replace

import pandas as pd
import pytest
from tensorboardX.proto.event_pb2 import Event

import evabench
from evabench.export.formats import FORMATS, write_csv, write_json, write_latex, write_parquet
from evabench.export.tensorboard import write_tensorboard
from evabench.store.files import RunStore
from tests.runs import BUDGET, EVERY, training, trainings, visits

HOSTILE = r'=HYPERLINK("http://x") & 50% \input{/etc/passwd} $_<b>'


@pytest.fixture
def frame(tmp_path):
    path = tmp_path / "runs.jsonl"
    hostile = [replace(run, cell=replace(run.cell, arm=HOSTILE)) for run in visits("Eva", 0.02)]
    RunStore(path).append([*visits("SGD", 0.01), *hostile, training("Eva", 1, None)])
    return evabench.load(path)


def test_csv_and_parquet_and_json_read_back_are_the_frame(frame, tmp_path):
    for name, read in (("csv", _read_csv), ("parquet", pd.read_parquet), ("json", _read_json)):
        path = tmp_path / f"runs.{name}"
        FORMATS[name](frame, path)
        back = read(path)
        assert list(back.columns) == list(frame.columns)
        assert back["value"].astype(float).tolist() == pytest.approx(frame["value"].tolist(), rel=1e-14, nan_ok=True)


def _read_csv(path):
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def _read_json(path):
    found = json.loads(path.read_text())
    return pd.DataFrame(found["rows"], columns=found["columns"])


def test_a_name_that_is_a_formula_stays_text_in_csv(frame, tmp_path):
    write_csv(frame, tmp_path / "runs.csv")
    arms = set(_read_csv(tmp_path / "runs.csv")["arm"])
    assert f"'{HOSTILE}" in arms
    assert not any(str(arm).startswith("=") for arm in arms)


def test_a_name_is_no_command_in_latex(frame, tmp_path):
    write_latex(evabench.ratios(frame, "step", to="SGD"), tmp_path / "ratios.tex")
    written = (tmp_path / "ratios.tex").read_text()
    assert r"\textbackslash{}input\{/etc/passwd\} \$\_\textless{}b\textgreater{}" in written
    assert r"\input" not in written
    assert r"\toprule" in written


def test_json_has_null_where_there_is_no_number(frame, tmp_path):
    write_json(pd.DataFrame({"value": [math.nan, 1.5]}), tmp_path / "one.json")
    assert json.loads((tmp_path / "one.json").read_text()) == {"columns": ["value"], "rows": [[None], [1.5]]}


def test_parquet_keeps_whole_numbers_whole(frame, tmp_path):
    write_parquet(frame, tmp_path / "runs.parquet")
    assert str(pd.read_parquet(tmp_path / "runs.parquet")["sweep"].dtype) == "Int64"


def test_tensorboard_has_a_folder_per_run_and_its_curve_on_the_training_clock(tmp_path):
    path = tmp_path / "runs.jsonl"
    named = [replace(run, key="k", cell=replace(run.cell, arm="../../up")) for run in trainings("Eva", [8])]
    RunStore(path).append(named)
    assert write_tensorboard(evabench.load(path), tmp_path / "board") == 1
    (events,) = (tmp_path / "board").rglob("events.*")
    assert events.resolve().is_relative_to((tmp_path / "board").resolve())
    curve = [event for event in _events(events) if event.summary.value]
    assert [event.step for event in curve] == list(range(EVERY, BUDGET + 1, EVERY))
    assert curve[0].summary.value[0].tag == "validation_loss"
    assert curve[0].wall_time == pytest.approx(0.01 * EVERY)


def _events(path):
    data, at = path.read_bytes(), 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 8], "little")
        yield Event.FromString(data[at + 12 : at + 12 + length])
        at += 16 + length
