"""What verbs behind `evabench run` say: of what was asked for, what is missing, what failed, what was edited."""

from dataclasses import replace

import pytest

from evabench.records.convergence import Convergence
from evabench.records.run import Outcome
from evabench.store.asked import Asked, AskedFile
from evabench.store.files import RunStore
from tests.cli.in_process import evabench


def store_in(folder):
    (file,) = folder.glob("results/tiny/*/runs.jsonl")
    return RunStore(file)


@pytest.fixture
def crashed(run_once):
    """Return a folder in which one stored training run crashed."""
    store = store_in(run_once)
    run = next(run for run in store.load() if isinstance(run.measured, Convergence))
    store.append([replace(run, measured=None, outcome=Outcome(kind="crashed", reason="it fell", stderr_tail=""))])
    return run_once


def test_a_show_of_everything_that_was_asked_for_exits_with_0(run_once):
    done = evabench(run_once, "show", "tiny.toml")
    assert done.returncode == 0, done.stderr


def test_a_show_says_what_is_missing_and_exits_with_3(run_once):
    text = (run_once / "tiny.toml").read_text()
    (run_once / "tiny.toml").write_text(text.replace("seeds = 2", "seeds = 3"))
    done = evabench(run_once, "show", "tiny.toml")
    assert done.returncode == 3
    assert "2 runs that the suite asks for are not stored yet" in done.stdout


def test_a_crash_is_told_by_the_dry_run_as_by_the_run(crashed):
    done = evabench(crashed, "run", "tiny.toml", "--dry-run")
    assert done.returncode == 3
    assert "1 run failed; another call does not repeat what failed" in done.stderr
    assert "--retry-failed" in done.stderr
    assert evabench(crashed, "show", "tiny.toml").returncode == 3


def test_the_seeds_that_the_last_run_asked_for_are_what_a_report_misses(run_once):
    text = (run_once / "tiny.toml").read_text()
    (run_once / "tiny.toml").write_text(text.replace("seeds = 2", "seeds = 3"))
    asked = AskedFile(store_in(run_once).path.with_name("asked.json"))
    asked.write(Asked(seeds=2))
    done = evabench(run_once, "report", "tiny.toml")
    assert done.returncode == 0, done.stdout
    assert "As the last run asked: --seeds 2." in done.stderr


def test_the_tier_of_the_last_run_is_taken_over_and_printed(run_once):
    text = (run_once / "tiny.toml").read_text()
    tables = text.partition("[step_time]")
    small = tables[2].replace("[memory]", "[tiers.smoke.memory]").replace("[convergence]", "[tiers.smoke.convergence]")
    more = "\n[tiers.laptop.memory]\n\n[tiers.laptop.convergence]\nseeds = 9\nepochs = 1\nevaluate_every = 30\n"
    (run_once / "tiny.toml").write_text(f"{tables[0]}[tiers.smoke.step_time]{small}{more}")
    AskedFile(store_in(run_once).path.with_name("asked.json")).write(Asked(tier="smoke"))
    done = evabench(run_once, "show", "tiny.toml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "As the last run asked: tier smoke." in done.stderr
    assert evabench(run_once, "show", "tiny.toml", "--tier", "laptop").returncode == 3


def test_a_run_keeps_what_it_was_asked_for_and_a_file_that_nobody_can_read_asks_for_nothing(run_once):
    asked = AskedFile(store_in(run_once).path.with_name("asked.json"))
    assert asked.read() == Asked()
    asked.write(Asked(tier="smoke", seeds=1))
    assert asked.read() == Asked(tier="smoke", seeds=1)
    store_in(run_once).path.with_name("asked.json").write_text("{")
    assert asked.read() == Asked()
    assert evabench(run_once, "show", "tiny.toml").returncode == 0


def test_an_edited_setting_makes_no_run_vanish_in_silence(run_once):
    text = (run_once / "tiny.toml").read_text()
    edited = text.replace("lr = ", "momentum = 0.5\nlr = ", 1)
    assert edited != text
    (run_once / "tiny.toml").write_text(edited)
    done = evabench(run_once, "show", "tiny.toml")
    assert done.returncode == 3
    told = " ".join(done.stdout.split())
    assert "runs of this host are stored that differ" in told
    assert "optimizer.momentum" in told


def test_a_report_after_a_run_of_fewer_seeds_misses_none(run_once):
    assert evabench(run_once, "run", "tiny.toml", "--seeds", "1", "--no-repeat").returncode == 0
    done = evabench(run_once, "report", "tiny.toml")
    assert done.returncode == 0, done.stdout
    assert "As the last run asked: --seeds 1." in done.stderr
