"""What a launch server says of itself before it makes a run, and runs that get lost without their arm's doing."""

import json
import platform
import subprocess
import sys
from dataclasses import replace

import pytest

from evabench.errors import WorkerError
from evabench.launch.server import LaunchServer, this_package
from evabench.records.codec import encode
from evabench.records.request import PROTOCOL, Imported, Request, ServerReady
from tests.launch.interpreters import program, python_without, server_that_says
from tests.runs import SMALL, cell

PIDFD_OPEN = 434
SETPGID = {"x86_64": 109, "aarch64": 154}[platform.machine()]
READY = ServerReady(protocol=PROTOCOL, imported=this_package(), num_threads=1, torch_version="2.6")


def refusal(python, **where):
    """Return the error with which a server is refused that is started with this program."""
    with pytest.raises(WorkerError) as error, LaunchServer(layout_seed="", python=python, **where):
        pass
    return str(error.value)


def greeted_with(folder, line, **where):
    return refusal(server_that_says(folder, line), **where)


def said(**changes):
    return encode(ServerReady, replace(READY, **changes))


def ask(server):
    return server.perform(Request(cell=cell("SGD", net=SMALL), seed=0, warmup_steps=0, timeout_seconds=60.0))


def test_a_server_of_a_newer_evabench_is_told_by_its_protocol_whatever_else_it_says(tmp_path):
    newer = json.dumps({"protocol": PROTOCOL + 1, "colour": "red"})
    told = f"is a newer one: its launch server speaks protocol {PROTOCOL + 1}, and this evabench {PROTOCOL}"
    assert told in greeted_with(tmp_path, newer)


def test_a_server_from_before_protocols_had_numbers_is_an_older_one(tmp_path):
    older = json.dumps({"num_threads": 1, "torch_version": "2.6"})
    assert "is an older one: its launch server speaks protocol none" in greeted_with(tmp_path, older)


def test_a_server_that_imported_another_evabench_is_refused_with_both_folders(tmp_path):
    other = Imported(package="/another/evabench", sources=this_package().sources)
    told = greeted_with(tmp_path, said(imported=other))
    assert f"imported /another/evabench, and not {this_package().package}" in told


def test_sources_that_were_edited_since_the_plan_was_made_are_refused(tmp_path):
    edited = Imported(package=this_package().package, sources="edited")
    assert "has changed since this command began" in greeted_with(tmp_path, said(imported=edited))


def test_threads_that_an_import_has_started_are_refused(tmp_path):
    assert "importing torch started 2 threads" in greeted_with(tmp_path, said(num_threads=3))


def test_what_is_no_greeting_is_shown(tmp_path):
    assert "began with b'Welcome!\\n', which is no greeting" in greeted_with(tmp_path, "Welcome!")


def test_a_server_that_does_not_start_comes_with_its_exit_code(tmp_path):
    assert "did not start (exit code 7)" in refusal(program(tmp_path, "python", "raise SystemExit(7)"))


def test_a_caller_may_expect_another_package_than_its_own(tmp_path):
    checkout = Imported(package="/a/checkout", sources="its own")
    told = greeted_with(tmp_path, said(), expected=checkout)
    assert f"imported {this_package().package}, and not /a/checkout" in told


def test_a_reply_that_nobody_can_read_loses_the_run_and_no_more(tmp_path):
    script = server_that_says(tmp_path, said(), '{"outcome": "fine"}')
    with LaunchServer(layout_seed="", python=script) as server:
        first, second = ask(server).outcome, ask(server).outcome
    assert (first.kind, first.reason) == (
        "lost",
        """nobody can read what its launch server answered: b'{"outcome": "fine"}\\n'""",
    )
    assert first == second


def test_where_pidfd_open_is_forbidden_no_run_is_made_and_the_way_out_is_told(tmp_path):
    told = refusal(python_without(tmp_path, PIDFD_OPEN))
    assert "may not use pidfd_open" in told
    assert "seccomp" in told


def test_a_child_that_ends_before_its_run_has_begun_is_lost_and_no_crash_of_its_arm(tmp_path):
    with LaunchServer(layout_seed="", python=python_without(tmp_path, SETPGID)) as server:
        outcome = ask(server).outcome
    assert (outcome.kind, outcome.reason) == ("lost", "the child ended with exit code 1 before its run had begun")


def test_descriptors_that_the_caller_has_closed_are_occupied():
    text = "import os, sys; from evabench.launch.descriptors import occupy_standard_descriptors as occupy; "
    text += "os.closerange(0, 3); occupy(); os._exit(os.open('/', os.O_RDONLY))"
    assert subprocess.run([sys.executable, "-c", text], check=False).returncode == 3
