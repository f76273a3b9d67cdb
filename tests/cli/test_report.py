"""`evabench report` from end to end, on the stored runs of a suite that was really run."""

import pytest

from tests.cli.test_run import SUITE, evabench

ONE_SWEEP = SUITE.replace("sweeps = 2", "sweeps = 1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a suite that has been run once."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "tiny.toml").write_text(SUITE)
    done = evabench(folder, "run", "tiny.toml", "--no-repeat", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    return folder


def test_a_report_is_a_page_and_a_markdown_file_whose_paths_are_printed(folder):
    done = evabench(folder, "report", "tiny.toml")
    assert done.returncode == 0, done.stderr
    for name in ("reports/tiny/index.html", "reports/tiny/report.md"):
        assert name in done.stdout
        assert (folder / name).stat().st_size > 1000


def test_a_report_that_cannot_be_written_is_a_message_with_the_way_out(folder):
    done = evabench(folder, "report", "tiny.toml", "--output", "tiny.toml")
    assert done.returncode == 2
    assert "Choose another folder: --output DIR" in done.stderr
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
    assert "Run it: evabench run tiny.toml" in done.stdout
    assert not (tmp_path / "reports").exists()
