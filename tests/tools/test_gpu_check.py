"""The GPU checks without a GPU: a fake device, a trace made up, and checks that fail in every way."""

import os
import time
from collections import Counter
from itertools import groupby

import pytest

from tests.measurement.fake_device import FakeDevice
from tests.nvml.stand_in import GPU_0, ONE_GPU
from tools.gpu_check import environment, results
from tools.gpu_check.answer import Answer, Check
from tools.gpu_check.bench import Bench
from tools.gpu_check.checks import CHECKS, MINUTES, PARTS
from tools.gpu_check.clock import label_answer, labelled
from tools.gpu_check.launches import counts_of
from tools.gpu_check.perform import perform

DRY = Bench(device_name="cpu")


def check(run, seconds=20):
    return Check(part="a part", name="one", points=(7,), question="Is it?", run=run, seconds=seconds)


def answers(bench):
    return Answer(answer="yes", figure="1 of 1", rule="all of them", rows=({"a": 1, "b": None},))


def raises(bench):
    raise RuntimeError("CUDA error: an illegal memory access was encountered")


def dies(bench):
    os.write(2, b"last words")
    os._exit(9)


def hangs(bench):
    time.sleep(60)


def label(host_ms, device_ms, num_steps):
    device = FakeDevice(host_ms=host_ms, device_ms=[device_ms])
    return labelled(device.clock, device.step, num_kernels=1, num_steps=num_steps)


def test_every_open_point_has_a_check_and_every_check_a_name_of_its_own():
    assert {point for one in CHECKS for point in one.points} == set(range(1, 11))
    assert len({one.name for one in CHECKS}) == len(CHECKS)
    assert set(PARTS) >= {"environment", "clock", "phases", "optimizers", "quickstart", "cost", "profile", "tests"}


def test_a_check_answers_in_a_process_of_its_own():
    line = perform(check(answers), DRY, "fork")
    assert (line["answer"], line["figure"], line["points"]) == ("yes", "1 of 1", (7,))


@pytest.mark.parametrize(
    ("run", "seconds", "words"),
    [
        (raises, 20, "RuntimeError: CUDA error: an illegal memory access was encountered"),
        (dies, 20, "the process ended without an answer (exit code 9)"),
        (hangs, 1, "no answer within 1 s"),
    ],
)
def test_a_check_that_fails_is_a_line_with_its_reason(run, seconds, words):
    line = perform(check(run, seconds), DRY, "fork")
    assert (line["answer"], line["error"]) == ("failed", words)


def test_the_last_words_of_a_process_are_kept():
    assert "last words" in perform(check(dies), DRY, "fork")["log"]


def test_the_last_line_of_a_check_counts_and_a_torn_one_is_left_out(tmp_path):
    results.append(tmp_path, {"check": "one", "answer": "failed"})
    results.append(tmp_path, {"check": "one", "answer": "yes"})
    with (tmp_path / results.LINES).open("a") as file:
        file.write('{"check": "one", "ans')
    assert results.read(tmp_path) == {"one": {"check": "one", "answer": "yes"}}


def test_the_report_has_every_point_and_the_reason_of_a_failure(tmp_path):
    lines = [perform(check(answers), DRY, "fork"), {**perform(check(raises), DRY, "fork"), "check": "two"}]
    results.write_report(tmp_path, lines)
    report = (tmp_path / results.REPORT).read_text()
    assert "| 7. The clock, and host-bound steps | one: **yes**, two: **failed** |" in report
    assert "| 6. MPS | not tried |" in report
    assert "| 1 | - |" in report
    assert "an illegal memory access" in report


def test_a_made_up_device_is_labelled_as_it_was_made():
    rows = [{"made so": True, **label(10, 1, 3)}, {"made so": False, **label(1, 10, 3)}]
    assert label_answer(rows).answer == "yes"


def test_a_label_that_contradicts_how_a_step_was_made_is_told():
    found = label_answer([{"made so": False, "elements": 8, **label(10, 1, 3)}])
    assert found.answer == "differs"
    assert "1 of 8" in found.figure


def event(category, name, begin, length):
    return {"ph": "X", "cat": category, "name": name, "ts": begin, "dur": length}


def test_launches_are_counted_by_the_step_in_which_they_were_queued_and_kernels_by_where_they_ran():
    events = [
        event("user_annotation", "gpu-check step", 0, 10),
        event("gpu_user_annotation", "gpu-check step", 1, 20),
        event("cuda_runtime", "cudaLaunchKernel", 1, 1),
        event("cuda_driver", "cuLaunchKernelEx", 2, 1),
        event("cuda_runtime", "cudaMemcpyAsync", 3, 1),
        event("cpu_op", "aten::add", 1, 2),
        event("kernel", "add", 4, 3),
        event("kernel", "mul", 15, 5),  # behind the range of its step
        event("cuda_runtime", "cudaDeviceSynchronize", 12, 8),  # ours, between two steps
        event("user_annotation", "gpu-check step", 30, 10),
        event("cuda_runtime", "cudaLaunchKernelExC", 31, 1),
        event("cuda_runtime", "cudaStreamSynchronize", 33, 1),
        event("kernel", "add", 32, 2),
    ]
    first, second = counts_of(events)
    assert first == {
        "launches": 2, "copies": 1, "waits": 0, "operators": 1, "kernels": 2, "kernel_seconds": pytest.approx(8e-6)
    }  # fmt: skip
    assert (second["launches"], second["waits"], second["kernels"]) == (1, 1, 1)


def environment_answers():
    return [run(DRY) for run in (environment.machine, environment.which_device, environment.own_process)]


def test_with_nvidias_bindings_on_a_stand_in_the_first_questions_are_answered(stand_in):
    machine, device, process = stand_in.ask(environment_answers, {**ONE_GPU, "gpu.0.compute": f"{os.getpid()}:5"})
    assert machine.answer == "yes"
    assert device.values["uuid_nvml"] == GPU_0
    assert process.answer == "no"  # the process of the stand-in is not in its list
    assert process.values["listed_after"] == {str(os.getpid()): 5}


def test_each_part_ends_within_its_minutes_and_the_first_two_have_the_points_1_to_7():
    seconds = Counter()
    for one in CHECKS:
        seconds[one.part] += one.seconds
    assert max(seconds.values()) <= 60 * MINUTES
    assert {point for one in CHECKS if one.part in PARTS[:2] for point in one.points} == set(range(1, 8))


def test_the_parts_come_one_after_the_other():
    assert [part for part, _ in groupby(CHECKS, key=lambda one: one.part)] == list(PARTS)
