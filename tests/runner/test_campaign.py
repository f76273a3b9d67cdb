"""A campaign with made-up servers and conditions: what was disturbed is made again once, whole, and nothing is lost."""

from dataclasses import replace

import pytest

from evabench.errors import OutputError
from evabench.findings.interruptions import KnownVisits
from evabench.runner.campaign import Campaign
from evabench.runner.plan import make_plan
from evabench.runner.progress import describe_repeat
from evabench.store.files import RunStore
from evabench.suite.reading import load_suite
from tests.fake_launcher import FakeLaunch, losing, measure
from tests.runs import HOST, QUIET

LOUD = replace(QUIET, foreign_cpu_share=0.5)
SUITE = """
name = "tiny"
title = "Tiny"
description = "A test."
decided_by = "autoencoder"
[workloads.small]
workload = "autoencoder"
[arms.SGD]
optimizer = "sgd"
lr = 1.0
[arms.Eva]
optimizer = "eva"
[step_time]
sweeps = 2
"""


class FakeWatcher:
    """Gives one set of conditions after the other; the last one stays."""

    def __init__(self, *conditions):
        self.conditions, self.num_watched = list(conditions), 0

    def begin(self, *, jobs):
        return self

    def end(self, *, threads):
        self.num_watched += 1
        return self.conditions.pop(0) if len(self.conditions) > 1 else self.conditions[0]


@pytest.fixture
def suite(tmp_path):
    (tmp_path / "tiny.toml").write_text(SUITE)
    return load_suite(str(tmp_path / "tiny.toml"))


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "runs.jsonl")


class Told:
    """What a person was told, in order."""

    def __init__(self, store):
        self.store, self.repeats, self.losses, self.unstored = store, [], [], []

    def begin(self, planned):
        pass

    def advance(self, planned):
        pass

    def done(self, run):
        if run not in self.store.load():
            self.unstored.append(run)

    def lost(self, planned, reason):
        self.losses.append((planned, reason))

    def repeated(self, first, second, known):
        self.repeats.append((first, second))


def run_campaign(suite, store, *conditions, launch=None, jobs=1, **options):
    """Run what the suite lacks, and return what was watched and what was told."""
    watcher, told = FakeWatcher(*conditions), Told(store)
    campaign = Campaign(
        store=store,
        host=HOST,
        timeout_seconds=1,
        progress=told,
        jobs=jobs,
        watcher=watcher,
        launch=launch or FakeLaunch(),
    )
    campaign.run(make_plan(suite, store.load(), HOST, **options))
    return watcher.num_watched, told


def places(runs):
    return [(run.visit.sweep, run.visit.repeated, run.cell.arm) for run in runs]


# Visits in order: 2 of the pilot, 2 of sweep 1, 2 of sweep 2.
THIRD_IS_LOUD = (QUIET, QUIET, LOUD, QUIET)


def test_a_quiet_campaign_repeats_nothing(suite, store):
    num_watched, told = run_campaign(suite, store, QUIET)
    assert (num_watched, told.repeats) == (6, [])


def test_a_disturbed_sweep_is_made_again_once_at_the_end_and_whole(suite, store):
    num_watched, told = run_campaign(suite, store, *THIRD_IS_LOUD)
    assert num_watched == 8
    stored = store.load()
    first, second = stored[2:4], stored[6:8]
    assert places(second) == [(1, True, run.cell.arm) for run in first]
    assert [(list(one), list(other)) for one, other in told.repeats] == [(list(first), list(second))]


def test_the_disturbed_runs_stay_in_the_store_with_what_disturbed_them(suite, store):
    run_campaign(suite, store, *THIRD_IS_LOUD)
    assert [run.conditions for run in store.load()].count(LOUD) == 1
    assert len(store.load()) == 8


def test_a_sweep_that_is_disturbed_again_is_not_made_a_third_time(suite, store):
    num_watched, told = run_campaign(suite, store, LOUD)
    assert (num_watched, len(told.repeats)) == (10, 2)
    num_watched, told = run_campaign(suite, store, LOUD)
    assert (num_watched, told.repeats) == (0, [])


class FullStore(RunStore):
    """A disk that takes the first run and no other."""

    def append(self, runs):
        if self.load():
            raise OutputError("it cannot be written")
        super().append(runs)


def test_a_disk_that_is_full_ends_the_campaign_without_making_the_runs_behind(tmp_path):
    (tmp_path / "tiny.toml").write_text(
        SUITE.partition("[step_time]")[0] + "[convergence]\nsteps = 4\nseeds = 20\nevaluate_every = 2\n"
    )
    store, suite = FullStore(tmp_path / "runs.jsonl"), load_suite(str(tmp_path / "tiny.toml"))

    def the_third_takes_until_it_is_abandoned(request):
        if len(launch.requests) > 2:
            assert all(one.abandoned.wait(timeout=60) for one in launch.started)
        return measure(request)

    launch = FakeLaunch(the_third_takes_until_it_is_abandoned)
    with pytest.raises(OutputError, match="it cannot be written"):
        run_campaign(suite, store, QUIET, launch=launch, jobs=2)
    assert len(store.load()) == 1
    assert len(launch.requests) <= 4  # of 40: stored, not stored, and perhaps two begun behind it


def test_the_pilot_is_not_repeated(suite, store):
    num_watched, told = run_campaign(suite, store, LOUD, QUIET)
    assert (num_watched, told.repeats) == (6, [])


def test_nothing_is_repeated_where_that_is_not_wanted_and_it_is_made_up_for_later(suite, store):
    num_watched, told = run_campaign(suite, store, *THIRD_IS_LOUD, repeat=False)
    assert (num_watched, told.repeats) == (6, [])
    plan = make_plan(suite, store.load(), HOST)
    assert plan.num_runs == 2
    num_watched, told = run_campaign(suite, store, QUIET)
    assert (num_watched, len(told.repeats)) == (2, 1)
    assert make_plan(suite, store.load(), HOST).num_runs == 0


def test_a_repeat_discards_the_same_warm_up_and_draws_a_layout_of_its_own(suite, store):
    launch = FakeLaunch()
    run_campaign(suite, store, *THIRD_IS_LOUD, launch=launch)
    assert len({one.layout_seed for one in launch.started}) == len(launch.started) == 4
    assert {run.visit.warmup_steps for run in store.load() if run.visit.sweep > 0} == {10}


def test_both_tries_are_shown_with_what_disturbed_them_and_which_counts(suite, store):
    _, told = run_campaign(suite, store, *THIRD_IS_LOUD)
    [(first, second)] = told.repeats
    arms = [run.cell.arm for run in first]
    assert describe_repeat(first, second, KnownVisits([*first, *second])) == (
        f"small, sweep 1 was disturbed and made again: {arms[0]} 1.00 ms -> 1.00 ms, {arms[1]} 1.00 ms -> 1.00 ms. "
        "The second counts: 0 of its 2 visits were disturbed, 1 of the other's.",
        f"  first: {arms[0]}: Other programs used 50% of the CPU time.",
    )


def test_of_two_disturbed_tries_the_first_counts(suite, store):
    _, told = run_campaign(suite, store, LOUD)
    [(first, second), _] = told.repeats
    lines = describe_repeat(first, second, KnownVisits([*first, *second]))
    assert lines[0].endswith(
        "The first counts: 2 of its 2 visits were disturbed, 2 of the other's, and no more of the CPUs' time was taken "
        "from it."
    )
    arms = [run.cell.arm for run in first]
    assert lines[1:] == (
        f"  first: {arms[0]}: Other programs used 50% of the CPU time. (As in 1 more visit.)",
        f"  second: {arms[0]}: Other programs used 50% of the CPU time. (As in 1 more visit.)",
    )


def test_what_is_told_is_stored(suite, store):
    _, told = run_campaign(suite, store, LOUD)
    assert told.unstored == []


def test_a_sweep_that_loses_a_run_is_not_stored_and_the_next_call_makes_it_whole(suite, store):
    _, told = run_campaign(suite, store, QUIET, launch=FakeLaunch(losing(3)))
    assert [(planned.sweep, reason) for planned, reason in told.losses] == [
        (1, "its launch server was killed by SIGKILL")
    ]
    assert {run.visit.sweep for run in store.load()} == {0, 2}
    assert [run.sweep for run in make_plan(suite, store.load(), HOST).left] == [1, 1]


def test_without_its_pilot_no_sweep_is_made_for_its_warm_up_would_be_another(suite, store):
    num_watched, told = run_campaign(suite, store, QUIET, launch=FakeLaunch(losing(1)))
    assert (num_watched, len(told.losses), store.load()) == (2, 1, ())


def test_a_lost_run_takes_no_other_with_it_where_nothing_belongs_together(tmp_path, store):
    (tmp_path / "tiny.toml").write_text(SUITE.partition("[step_time]")[0] + "[memory]\n")
    suite = load_suite(str(tmp_path / "tiny.toml"))
    _, told = run_campaign(suite, store, QUIET, launch=FakeLaunch(losing(1)))
    assert ([planned.cell.arm for planned, _ in told.losses], len(store.load())) == (["SGD"], 1)
    assert [run.cell.arm for run in make_plan(suite, store.load(), HOST, retry_failed=False).left] == ["SGD"]
