"""`evabench report` from end to end, on the stored runs of a suite that was really run."""

from dataclasses import replace
from pathlib import Path

import pytest

from evabench.store.files import RunStore
from tests.cli.in_process import evabench
from tests.cli.test_run import SUITE
from tests.cli.test_run import evabench as process

ONE_SWEEP = SUITE.replace("sweeps = 2", "sweeps = 1")


@pytest.fixture
def folder(run_once):
    """Return a folder with a suite that has been run once."""
    return run_once


def test_a_report_is_a_page_and_a_markdown_file_whose_paths_are_printed(folder):
    done = evabench(folder, "report", "tiny.toml")
    assert done.returncode == 0, done.stderr
    for name in ("reports/tiny/index.html", "reports/tiny/report.md"):
        assert name in done.stdout
        assert (folder / name).stat().st_size > 1000


def test_a_report_that_cannot_be_written_is_a_message_with_the_way_out(folder):
    done = evabench(folder, "report", "tiny.toml", "--output", "tiny.toml")
    assert done.returncode == 6
    assert "or choose another folder: --output DIR" in done.stderr
    assert "Traceback" not in done.stderr


def test_strict_turns_an_open_verdict_into_exit_code_4_and_still_writes_the_report(folder):
    done = evabench(folder, "report", "tiny.toml", "--strict", "--output", "strict")
    assert done.returncode == 4
    assert (folder / "strict/tiny/index.html").exists()


def test_an_open_verdict_is_no_refutation(folder):
    assert evabench(folder, "report", "tiny.toml", "--fail-on-refuted").returncode == 0


def test_a_report_of_a_part_says_so_and_exits_with_3(folder, tmp_path):
    (tmp_path / "tiny.toml").write_text(ONE_SWEEP.replace("seeds = 2", "seeds = 3"))
    done = evabench(tmp_path, "report", "tiny.toml", "--results", str(folder / "results"))
    assert done.returncode == 3
    assert "2 runs that the suite asks for are not stored yet" in (tmp_path / "reports/tiny/report.md").read_text()


def test_without_runs_there_is_no_report_and_the_way_out_is_named(tmp_path):
    (tmp_path / "tiny.toml").write_text(SUITE)
    done = evabench(tmp_path, "report", "tiny.toml")
    assert done.returncode == 3
    assert "Run it: evabench run tiny.toml" in done.stderr
    assert not (tmp_path / "reports").exists()


@pytest.fixture
def torn(folder):
    """Return the folder, with its last line cut off."""
    (path,) = folder.glob("results/tiny/*/runs.jsonl")
    with path.open("a") as file:
        file.write('{"schema')
    return folder, path


def test_show_and_report_name_the_file_whose_last_line_is_torn_and_leave_it_alone(torn):
    folder, path = torn
    before = path.read_bytes()
    told = f"The last line of {path.relative_to(folder)} is not whole"
    assert told in " ".join(evabench(folder, "show", "tiny.toml").stdout.split())
    assert told in evabench(folder, "report", "tiny.toml").stderr
    for name in ("index.html", "report.md"):
        assert "is not whole" in (folder / "reports/tiny" / name).read_text()
    assert path.read_bytes() == before


def test_a_run_sets_a_torn_line_aside_although_there_is_nothing_to_run(torn):
    folder, path = torn
    done = process(folder, "run", "tiny.toml", "--no-repeat")
    assert "Nothing to run" in done.stderr
    assert "A torn last line of an earlier crash was moved to" in done.stderr
    assert path.read_bytes().endswith(b"\n")


def test_a_value_that_was_edited_is_said_and_not_shown(folder):
    (path,) = folder.glob("results/tiny/*/runs.jsonl")
    lines = path.read_text().splitlines(keepends=True)
    edited = lines[0].replace('"seed":', '"seed":1')
    path.write_text("".join([edited, *lines[1:]]))
    told = f"{path.relative_to(folder)}, line 1: not used: it was changed after it was written"
    done = evabench(folder, "report", "tiny.toml")
    assert done.returncode == 3
    assert told in done.stderr
    assert told in " ".join(evabench(folder, "show", "tiny.toml").stdout.split())
    page = (folder / "reports/tiny/report.md").read_text()
    assert "1 runs that the suite asks for are not stored yet" in page
    assert "it was changed after it was written" in page


REFERENCE = Path(__file__).parents[2] / "results/reference/descent/runs.jsonl"


@pytest.mark.long
def test_a_report_of_a_file_of_runs_says_that_they_are_of_older_code(tmp_path):
    done = evabench(tmp_path, "report", "descent", "--runs", str(REFERENCE))
    assert done.returncode in {0, 3}, done.stderr
    told = (tmp_path / "reports/descent/laptop/report.md").read_text()
    assert "All 54 runs shown are of older code (sources b9c245689fb9d69f)" in told


def test_a_file_without_a_run_of_the_suite_is_refused_with_the_way_out(tmp_path):
    done = evabench(tmp_path, "show", "quadratic", "--runs", str(REFERENCE))
    assert done.returncode == 2
    assert "Choose another suite, tier or place: --runs PATH" in done.stderr


def test_show_tells_where_a_figure_of_the_page_comes_from(tmp_path):
    row = "losses.autoencoder-half/K-FAC@1"
    done = evabench(tmp_path, "show", "descent", "--runs", str(REFERENCE), "--id", row)
    assert done.returncode == 0, done.stderr
    assert "final loss, by seed  0.059059" in done.stdout
    (key,) = [line.split()[0] for line in done.stdout.splitlines() if "5 evaluations; final validation loss" in line]
    assert f'"key":"{key}"' in REFERENCE.read_text().replace(": ", ":")


def test_an_address_of_no_figure_is_refused_with_those_that_there_are(tmp_path):
    done = evabench(tmp_path, "show", "descent", "--runs", str(REFERENCE), "--id", "nothing")
    assert done.returncode == 2
    assert "There are: convergence.autoencoder-half, losses.autoencoder-half" in done.stderr


def test_an_address_that_the_runs_of_one_host_lack_is_told_of_those_of_the_others(run_once):
    (file,) = run_once.glob("results/tiny/*/runs.jsonl")
    timed = [run for run in RunStore(file).load() if run.cell.measurement.timed]
    RunStore(run_once / "theirs.jsonl").append([replace(run, host=replace(run.host, system="Plan 9")) for run in timed])
    call = ("show", "tiny.toml", "--runs", str(file), "--runs", "theirs.jsonl", "--id")
    assert evabench(run_once, *call, "cost.small/Eva").stdout.count("\ncost.small/Eva: ") == 2
    told = evabench(run_once, *call, "losses.small/Eva")
    assert told.returncode == 0, told.stderr
    assert told.stdout.count("\nlosses.small/Eva: ") == 1
