"""The tutorial: its files make a verdict about the optimizer in them."""

import re

import pytest

from evabench.store.files import RunStore
from tests.docs.blocks import blocks, commands
from tests.docs.commands import COMMANDS
from tests.docs.folder import fill, run

PAGE = "docs/tutorial.md"
SMALLER = {
    "seeds = 8 ": "check_rates = false\nseeds = 1 ",
    "epochs = 5": "epochs = 1",
    "sweeps = 6 ": "sweeps = 1 ",
    "[memory]\n": "",
}
TARGET = 'reference = "SGD"\nat = 0.75'
NUMBER = 'value = 1.0\nprovenance = "a test"'
CLAIM = "Mine reaches the target at least as soon as SGD."


@pytest.mark.timeout(900)  # nine runs: seconds, and minutes on a machine that is full
def test_its_files_in_small_make_every_arm_train_and_ask_both_claims(tmp_path):
    fill(tmp_path, PAGE)
    suite = tmp_path / "mine.toml"
    text = suite.read_text().partition("\n[tuning]")[0].replace(TARGET, NUMBER)
    for long, short in SMALLER.items():
        assert long in text
        text = text.replace(long, short)
    suite.write_text(text)
    done = run("evabench run mine.toml --no-repeat", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = tmp_path.glob("results/mine/*/runs.jsonl")
    runs = RunStore(path).load()
    assert {run.cell.arm for run in runs if run.cell.measurement.measurement == "convergence"} == {"SGD", "Eva", "Mine"}
    assert all(run.outcome.completed for run in runs)
    for claim in re.findall(r'^text = "(.*)"$', text, re.M):
        assert claim in " ".join(done.stdout.split())


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_its_commands_from_the_first_to_the_last_end_in_a_verdict(tmp_path):
    fill(tmp_path, PAGE)
    suite = tmp_path / "mine.toml"
    tuned = suite.read_text()
    suite.write_text(tuned.partition("\n[tuning]")[0])
    told = {}
    for command in commands(PAGE):
        if COMMANDS[command.text].when == "long":
            if "--tune" in command.text:
                suite.write_text(tuned)
            done = run(command.text, tmp_path)
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
            told[command.text] = done.stdout
    answer = " ".join(told["evabench run mine.toml --jobs 2 --no-repeat"].split())
    assert re.search(rf"(Supported|Refuted|Inconclusive)[^.]*: {re.escape(CLAIM)}", answer)
    assert (tmp_path / "reports/mine/index.html").is_file()


def test_it_shows_an_answer_to_the_first_claim_of_its_suite():
    answer = next(block.text for block in blocks(PAGE) if block.language == "text")
    assert CLAIM in " ".join(answer.split())
