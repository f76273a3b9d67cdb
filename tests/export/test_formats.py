"""Files for other programs: read back they are the frame, and hostile text stays text."""

import json
import math
from dataclasses import replace

import pandas as pd
import pytest
from tensorboardX.proto.event_pb2 import Event

import evabench
from evabench.export.file_names import file_name
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


TURNED, LONG = "\u202egnp.exe \u05d0\u05d1\n=1+2", "x" * 10_000


def named(tmp_path, name):
    path = tmp_path / "named.jsonl"
    renamed = [replace(run, key=f"k{run.key}", cell=replace(run.cell, arm=name)) for run in visits("Eva", 0.02)]
    trained = [replace(run, key=f"t{run.key}", cell=replace(run.cell, arm=name)) for run in trainings("Eva", [8])]
    RunStore(path).append([*visits("SGD", 0.01), *renamed, *trained])
    return evabench.load(path)


def test_a_name_that_turns_the_line_around_is_spelled_out_in_one_line_of_csv(tmp_path):
    frame = named(tmp_path, TURNED)
    write_csv(frame, tmp_path / "runs.csv")
    text = (tmp_path / "runs.csv").read_text(encoding="utf-8")
    assert len(text.splitlines()) == 1 + len(frame)
    assert "\u202e" not in text
    assert "\\u202egnp.exe \u05d0\u05d1\\n=1+2" in set(_read_csv(tmp_path / "runs.csv")["arm"])


def test_a_name_that_turns_the_line_around_is_one_row_of_latex(tmp_path):
    write_latex(evabench.ratios(named(tmp_path, TURNED), "step", to="SGD"), tmp_path / "ratios.tex")
    rows = [line for line in (tmp_path / "ratios.tex").read_text().splitlines() if line.endswith(r"\\")]
    assert len(rows) == 2
    assert all(row.count("&") == rows[0].count("&") for row in rows)
    assert "\u202e" not in "".join(rows)


def test_a_name_of_ten_kilobytes_is_whole_in_csv_and_json_and_shortened_on_paper(tmp_path):
    frame = named(tmp_path, LONG)
    write_csv(frame, tmp_path / "runs.csv")
    write_json(frame, tmp_path / "runs.json")
    assert LONG in set(_read_csv(tmp_path / "runs.csv")["arm"])
    assert LONG in set(_read_json(tmp_path / "runs.json")["arm"])
    write_latex(evabench.ratios(frame, "step", to="SGD"), tmp_path / "ratios.tex")
    assert max(map(len, (tmp_path / "ratios.tex").read_text().splitlines())) < 400


@pytest.mark.parametrize("name", ["=1+2", "+1+2", "-1+2", "@SUM(A1)", "\t=1+2", "\r=1+2"])
def test_every_beginning_of_a_formula_stays_text_in_csv_and_on_paper(tmp_path, name):
    frame = named(tmp_path, name)
    write_csv(frame, tmp_path / "runs.csv")
    assert all(arm.startswith("'") for arm in set(_read_csv(tmp_path / "runs.csv")["arm"]) - {"SGD"})
    write_latex(evabench.ratios(frame, "step", to="SGD"), tmp_path / "ratios.tex")
    assert "SUM(A1)" in (tmp_path / "ratios.tex").read_text() or "1+2" in (tmp_path / "ratios.tex").read_text()


@pytest.mark.parametrize("name", [TURNED, LONG, "..", "a/../../b"])
def test_a_folder_of_tensorboard_is_one_below_its_own_whatever_the_name_is(tmp_path, name):
    assert write_tensorboard(named(tmp_path, name), tmp_path / "board") == 1
    (events,) = (tmp_path / "board").rglob("events.*")
    assert len(events.relative_to(tmp_path / "board").parts) == 4  # workload, arm, seed, the file


def test_names_of_files_are_never_alike_where_the_names_are_not():
    names = ["a b", "a-b", "a/b", "a:b", "..", "", LONG, f"{LONG}y", TURNED]
    made = [file_name(name) for name in names]
    assert len(set(made)) == len(names)
    assert max(map(len, made)) < 120
    assert not any("/" in one or one in (".", "..", "") for one in made)
