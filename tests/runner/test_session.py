"""Sessions: who shares a server, in which order, and when results count."""

from threading import Barrier

import pytest

from evabench.errors import WorkerError
from evabench.records.measurement import ProfileSettings
from evabench.records.request import ChildReply, Request, lost
from evabench.records.run import Outcome
from evabench.runner.probing import probe_cells
from evabench.runner.profiling import profile_cells
from evabench.runner.same_arm import time_pairs
from evabench.runner.session import Session, perform
from tests.fake_launcher import FakeLaunch, losing
from tests.runs import SMALL, cell


def ask(server, arm):
    server.perform(Request(cell=cell(arm, net=SMALL), seed=0, warmup_steps=0, timeout_seconds=1.0))
    return arm


def session(**how):
    return Session(layout="drawn", runs=("SGD", "Eva", "Shampoo", "SGD"), **how)


def counted(of, **how):
    """Return what counted, and when: each list is one moment."""
    moments, launch = [], FakeLaunch()
    results = perform(of, launch, ask, ended=lambda results: moments.append(list(results)), **how)
    assert results == of.runs
    assert not any(one.open for one in launch.started)
    return moments, launch


def test_the_runs_of_a_whole_session_share_one_server_and_count_together():
    moments, launch = counted(session(), jobs=4)
    assert moments == [["SGD", "Eva", "Shampoo", "SGD"]]
    (server,) = launch.started
    assert server.layout_seed == "drawn"
    assert [request.cell.arm for request in server.requests] == ["SGD", "Eva", "Shampoo", "SGD"]


def test_runs_that_do_not_belong_together_count_one_by_one():
    assert counted(session(whole=False))[0] == [["SGD"], ["Eva"], ["Shampoo"], ["SGD"]]


def test_what_is_alone_is_made_by_one_server_whatever_the_jobs():
    assert len(counted(session(whole=False), jobs=4)[1].started) == 1


def test_what_is_not_alone_is_dealt_out_to_as_many_servers_as_there_are_jobs_each_with_a_layout_of_its_own():
    moments, launch = counted(session(alone=False, whole=False), jobs=2)
    assert sorted(moments) == [["Eva"], ["SGD"], ["SGD"], ["Shampoo"]]
    assert len({one.layout_seed for one in launch.started}) == len(launch.started) == 2


def test_runs_that_are_dealt_out_are_made_at_the_same_time():
    both = Barrier(2, timeout=60)
    launch = FakeLaunch(lambda request: both.wait())
    perform(Session(layout="", runs=("SGD", "Eva"), alone=False, whole=False), launch, ask, jobs=2)
    assert [len(one.requests) for one in launch.started] == [1, 1]


def test_an_error_closes_the_server_and_nothing_counts():
    launch, moments = FakeLaunch(), []

    def fail(server, arm):
        raise WorkerError("the disk is full")

    with pytest.raises(WorkerError, match="the disk is full"):
        perform(session(), launch, fail, ended=moments.append)
    assert (launch.started[0].open, moments) == (False, [])


def test_a_pair_of_equal_arms_is_a_session_and_so_is_its_pilot():
    launch = FakeLaunch()
    pairs = time_pairs(2, launch=launch)
    assert [pair.log_ratio for pair in pairs] == [0.0, 0.0]
    assert [one.layout_seed for one in launch.started] == ["same arm, pilot", "same arm, pair 1", "same arm, pair 2"]
    assert [len(one.requests) for one in launch.started] == [1, 2, 2]
    assert {request.warmup_steps for request in launch.requests[1:]} == {10}  # of the pilot


def test_a_pair_that_loses_a_visit_is_an_error_with_the_reason():
    with pytest.raises(WorkerError, match=r"did not complete \(lost\): its launch server was killed by SIGKILL"):
        time_pairs(1, launch=FakeLaunch(losing(2)))


def test_the_probes_of_all_arms_share_one_server_and_two_arms_of_one_kind_are_probed_once():
    launch = FakeLaunch()
    cells = [cell("SGD", net=SMALL), cell("SGD", net=SMALL), cell("Eva", net=SMALL)]
    probing = probe_cells(cells, max_seconds=60, free_bytes=2**30, launch=launch)
    assert [len(one.requests) for one in launch.started] == [4]  # bytes and steps of each
    assert len(probing.found) == 2
    assert probing.server_seconds is not None


def test_a_probe_that_gets_lost_leaves_its_arm_unknown():
    (found,) = probe_cells(
        [cell("SGD", net=SMALL)], max_seconds=60, free_bytes=2**30, launch=FakeLaunch(losing(1))
    ).found
    assert (found.counted, found.timed is not None, found.failure) == (None, True, None)


def test_a_probe_without_a_time_says_why():
    launch = FakeLaunch(losing(2))
    (found,) = probe_cells([cell("SGD", net=SMALL)], max_seconds=60, free_bytes=2**30, launch=launch).found
    assert (found.timed, found.failure) == (None, "lost: its launch server was killed by SIGKILL")


def test_a_profile_that_does_not_complete_is_an_error_that_names_the_cell():
    profiled = cell("Eva", ProfileSettings(trace="trace", min_steps=1), net=SMALL)
    crashed = ChildReply(
        outcome=Outcome(kind="crashed", reason="the moon is full", stderr_tail=""), measured=None, threads=1
    )
    for reply, told in ((crashed, "crashed"), (lost("the moon is full"), "lost")):
        with pytest.raises(WorkerError, match=rf"autoencoder, Eva, profile: .* \({told}\): the moon is full"):
            profile_cells([profiled], timeout_seconds=1, launch=FakeLaunch(lambda request, reply=reply: reply))
