"""A campaign with made-up servers and conditions: what was disturbed is made again once, whole, and nothing is lost."""

from dataclasses import replace
from threading import Event

import pytest

from evabench.errors import StoreError
from evabench.records.request import ChildReply
from evabench.records.run import Outcome
from evabench.records.step_time import StepTime, WarmUp
from evabench.runner.campaign import Campaign
from evabench.runner.plan import make_plan
from evabench.runner.progress import describe_repeat
from evabench.store.files import RunStore
from evabench.suite.reading import load_suite
from tests.runs import HOST, QUIET

LOUD = replace(QUIET, foreign_cpu_share=0.5)
COMPLETED = Outcome(kind="completed", reason=None, stderr_tail="")
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


class FakeServer:
    """Answers every request; a step takes `milliseconds`."""

    milliseconds = 1.0

    def __init__(self, *, layout_seed):
        self.layout_seed = layout_seed

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def perform(self, request):
        if request.cell.measurement.measurement == "warm_up":
            measured = WarmUp(window_steps=10, window_median_seconds=(1.0, 1.0), steady_after_steps=10)
        else:
            seconds = (self.milliseconds / 1000,) * 2
            measured = StepTime(
                step_seconds=seconds,
                block_seconds=(sum(seconds),),
                latency_seconds=None,
                cycle_steps=1,
                warmup_steps=request.warmup_steps,
            )
        return ChildReply(outcome=COMPLETED, measured=measured, threads=1)


class FakeWatcher:
    """Gives one set of conditions after the other; the last one stays."""

    def __init__(self, *conditions):
        self.conditions, self.num_watched = list(conditions), 0

    def begin(self, *, jobs):
        assert jobs == 1
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


def run_campaign(suite, store, *conditions, launch=FakeServer, **options):
    """Run what the suite lacks, and return what was watched and the pairs of tries that were shown."""
    watcher, shown = FakeWatcher(*conditions), []
    campaign = Campaign(
        store=store,
        host=HOST,
        timeout_seconds=1,
        layout_seed=0,
        watcher=watcher,
        launch=launch,
        repeated=lambda first, second: shown.append((first, second)),
    )
    campaign.run(make_plan(suite, store.load(), HOST, **options))
    return watcher.num_watched, shown


def places(runs):
    return [(run.visit.sweep, run.visit.repeated, run.cell.arm) for run in runs]


# Visits in order: 2 of the pilot, 2 of sweep 1, 2 of sweep 2.
THIRD_IS_LOUD = (QUIET, QUIET, LOUD, QUIET)


def test_a_quiet_campaign_repeats_nothing(suite, store):
    assert run_campaign(suite, store, QUIET) == (6, [])


def test_a_disturbed_sweep_is_made_again_once_at_the_end_and_whole(suite, store):
    num_watched, shown = run_campaign(suite, store, *THIRD_IS_LOUD)
    assert num_watched == 8
    stored = store.load()
    first, second = stored[2:4], stored[6:8]
    assert places(second) == [(1, True, run.cell.arm) for run in first]
    assert [(list(one), list(other)) for one, other in shown] == [(list(first), list(second))]


def test_the_disturbed_runs_stay_in_the_store_with_what_disturbed_them(suite, store):
    run_campaign(suite, store, *THIRD_IS_LOUD)
    assert [run.conditions for run in store.load()].count(LOUD) == 1
    assert len(store.load()) == 8


def test_a_sweep_that_is_disturbed_again_is_not_made_a_third_time(suite, store):
    num_watched, shown = run_campaign(suite, store, LOUD)
    assert (num_watched, len(shown)) == (10, 2)
    assert run_campaign(suite, store, LOUD) == (0, [])


class FullStore(RunStore):
    """A disk that takes the first run and no other."""

    def append(self, runs):
        if self.load():
            raise StoreError("it cannot be written")
        super().append(runs)


class LongRunServer(FakeServer):
    """Its third run takes until it is abandoned."""

    def __init__(self, **where):
        super().__init__(**where)
        self.num_runs, self.abandoned = 0, Event()

    def perform(self, request):
        self.num_runs += 1
        if self.num_runs > 2:
            assert self.abandoned.wait(timeout=60)
        return super().perform(request)

    def abandon(self):
        self.abandoned.set()


def test_a_disk_that_is_full_ends_the_campaign_without_making_the_runs_behind(tmp_path):
    (tmp_path / "tiny.toml").write_text(
        SUITE.partition("[step_time]")[0] + "[convergence]\nsteps = 4\nseeds = 20\nevaluate_every = 2\n"
    )
    store, suite = FullStore(tmp_path / "runs.jsonl"), load_suite(str(tmp_path / "tiny.toml"))
    servers = []

    def launch(**where):
        servers.append(LongRunServer(**where))
        return servers[-1]

    with pytest.raises(StoreError, match="it cannot be written"):
        run_campaign(suite, store, QUIET, launch=launch)
    assert len(store.load()) == 1
    assert servers[0].num_runs <= 3  # of 40: stored, not stored, and perhaps begun behind it


def test_the_pilot_is_not_repeated(suite, store):
    assert run_campaign(suite, store, LOUD, QUIET) == (6, [])


def test_nothing_is_repeated_where_that_is_not_wanted_and_it_is_made_up_for_later(suite, store):
    assert run_campaign(suite, store, *THIRD_IS_LOUD, repeat=False) == (6, [])
    plan = make_plan(suite, store.load(), HOST)
    assert plan.num_runs == 2
    num_watched, shown = run_campaign(suite, store, QUIET)
    assert (num_watched, len(shown)) == (2, 1)
    assert make_plan(suite, store.load(), HOST).num_runs == 0


def test_a_repeat_discards_the_same_warm_up_and_draws_a_layout_of_its_own(suite, store):
    seeds = []

    def launch(*, layout_seed):
        seeds.append(layout_seed)
        return FakeServer(layout_seed=layout_seed)

    run_campaign(suite, store, *THIRD_IS_LOUD, launch=launch)
    assert len(set(seeds)) == len(seeds) == 4
    assert {run.visit.warmup_steps for run in store.load() if run.visit.sweep > 0} == {10}


def test_both_tries_are_shown_with_what_disturbed_them_and_which_counts(suite, store):
    _, [(first, second)] = run_campaign(suite, store, *THIRD_IS_LOUD)
    arms = [run.cell.arm for run in first]
    assert describe_repeat(first, second) == (
        f"small, sweep 1 was disturbed and made again: {arms[0]} 1.00 ms -> 1.00 ms, {arms[1]} 1.00 ms -> 1.00 ms. "
        "The second counts.",
        f"  first: {arms[0]}: Other programs used 50% of the CPU time.",
    )


def test_of_two_disturbed_tries_the_first_counts(suite, store):
    _, [(first, second), _] = run_campaign(suite, store, LOUD)
    lines = describe_repeat(first, second)
    assert lines[0].endswith("The first counts.")
    arms = [run.cell.arm for run in first]
    assert lines[1:] == (
        f"  first: {arms[0]}: Other programs used 50% of the CPU time. (As in 1 more visit.)",
        f"  second: {arms[0]}: Other programs used 50% of the CPU time. (As in 1 more visit.)",
    )
