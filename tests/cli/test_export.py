"""`evabench export`: the runs of a suite, or of any file, for other programs."""

import pandas as pd
import pytest

from tests.cli.in_process import evabench
from tests.full_disk import full_disk


def test_a_suite_with_results_is_written_under_its_name(run_once):
    done = evabench(run_once, "export", "tiny")
    assert done.returncode == 0, done.stderr
    assert "tiny.csv: " in done.stdout
    frame = pd.read_csv(run_once / "tiny.csv")
    assert {"step_time", "convergence"} <= set(frame["kind"])


def test_ratios_of_a_file_are_a_table_for_a_paper(run_once):
    (file,) = run_once.glob("results/tiny/*/runs.jsonl")
    done = evabench(run_once, "export", str(file), "--what", "ratios", "--format", "latex", "--output", "out/step.tex")
    assert done.returncode == 0, done.stderr
    assert r"\begin{tabular}" in (run_once / "out" / "step.tex").read_text()


def test_what_cannot_be_written_is_one_sentence_with_what_there_is(run_once):
    for words, message in (
        (["nowhere"], "there is no such file or folder"),
        (["tiny", "--what", "ratios", "--metric", "speed"], "metric must be one of step"),
        (["tiny", "--what", "ratios", "--to", "Mine"], "arms that have 'step' are"),
        (["tiny", "--what", "curves", "--metric", "taste"], "validation_loss is one"),
        (["tiny", "--output", "."], "cannot be written"),
    ):
        done = evabench(run_once, "export", *words)
        assert done.returncode == (6 if message == "cannot be written" else 2), (words, done.stdout)
        assert message in done.stderr
        assert "Traceback" not in done.stderr


def test_on_a_full_disk_half_a_table_is_none(run_once):
    with full_disk(1000):
        done = evabench(run_once, "export", "tiny")
    assert (done.returncode, "choose another: --output FILE" in done.stderr) == (6, True)
    assert list(run_once.glob("*.csv")) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("export", "tiny", "--format", "tensorboard", "--what", "ratios"),
            "TensorBoard takes training runs, not ratios",
        ),
        (("export", "tiny", "--metric", "step"), "give it with --what ratios or --what curves"),
        (("list", "--probe-seconds", "2"), "--probe-seconds is for the minutes of --cost"),
    ],
)
def test_an_option_that_would_say_nothing_is_refused(run_once, words, told):
    done = evabench(run_once, *words)
    assert done.returncode == 2
    assert told in done.stderr
