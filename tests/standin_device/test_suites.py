"""Whole suites on a device, through the launch server: what a person with a GPU types, and what comes of it."""

import os
import re

import pytest
from filelock import FileLock

from evabench.records.convergence import Convergence
from evabench.records.counts import Counts
from evabench.records.memory import Memory
from evabench.settings.shampoo import ShampooSettings
from evabench.suite.shipped import shipped_suites
from tests.nvml.stand_in import GPU_0, ONE_GPU, write_scenario
from tests.standin_device.command import evabench, measured, stored

SUITE = """
name = "tiny"
title = "Tiny"
description = "On a device."
[workloads.small]
workload = "autoencoder"
data = "fashion_mnist_subset"
widths = [784, 24, 8]
batch = 50
[arms.SGD]
optimizer = "sgd"
lr = 0.1
[arms.Eva]
optimizer = "eva"
"""
SGD = SUITE[SUITE.index("[arms.SGD]") : SUITE.index("[arms.Eva]")]
KINDS = """
[memory]
[counts]
seeds = 1
[convergence]
seeds = 1
steps = 6
evaluate_every = 3
"""
SMOKE = [pytest.param(name, marks=pytest.mark.long) for name in ("ci", "autoencoder", "cifar", "language", "memory")]


def losses(curve):
    return [evaluation.validation_loss for evaluation in curve.evaluations] + [*curve.training_losses, curve.test_loss]


@pytest.fixture(scope="module")
def tiny(standin, tmp_path_factory):
    """A suite that ran on a CPU and on the device, into one file."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "tiny.toml").write_text(SUITE + KINDS)
    first = evabench(folder, "run", "tiny.toml", "--device", "cpu")
    second = evabench(folder, "run", "tiny.toml", "--device", "auto", "--jobs", "2")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr + second.stdout
    return folder, second.stderr + second.stdout


def test_the_first_line_of_a_run_says_the_device_and_how_it_was_found(tiny):
    first_line = tiny[1].splitlines()[0]
    assert first_line.startswith("Runs train on standin:0, and untimed ones on 1 more of that kind (--jobs): ")


def test_a_cpu_and_a_device_are_two_cells_of_one_file(tiny):
    runs = stored(tiny[0], "tiny")
    assert [run.cell.device for run in runs].count("cpu") == len(runs) / 2
    assert all(run.outcome.completed for run in runs)


def test_untimed_runs_are_spread_over_the_devices_and_say_on_which_they_were(tiny):
    on_device = [run.conditions.limits.device for run in stored(tiny[0], "tiny") if run.cell.device == "standin"]
    assert {device.index for device in on_device} == {0, 1}


def test_losses_on_the_device_are_those_of_the_cpu(tiny):
    runs = stored(tiny[0], "tiny")
    on_cpu, on_device = (measured(runs, Convergence, device) for device in ("cpu", "standin"))
    for arm, curve in on_cpu.items():
        assert losses(on_device[arm]) == pytest.approx(losses(curve), rel=1e-6)


def test_the_peak_of_the_table_is_that_of_the_devices_own_counter(tiny):
    for memory in measured(stored(tiny[0], "tiny"), Memory, "standin").values():
        counted = memory.device.allocated_bytes - memory.device.data_bytes - memory.device.library_bytes
        assert memory.peak.total == pytest.approx(counted, rel=0.01)
        assert memory.device.data_bytes > 0
        assert memory.allocator_peak_bytes == pytest.approx(memory.peak.total, rel=0.01)


def test_no_plain_step_reads_from_the_device(tiny):
    found = measured(stored(tiny[0], "tiny"), Counts, "standin")
    assert {arm: counts.plain.host_reads for (_, arm), counts in found.items()} == {"SGD": 0, "Eva": 0}


@pytest.mark.long
def test_a_report_is_about_the_device_of_the_last_run_unless_another_is_named(tiny):
    folder, _ = tiny
    there = evabench(folder, "report", "tiny.toml").stderr
    page = (folder / "reports/tiny/report.md").read_text()
    assert "--device standin" in there
    assert "standin:0" in page
    assert "Memory of the device" in page
    evabench(folder, "report", "tiny.toml", "--device", "cpu")
    assert "standin" not in (folder / "reports/tiny/report.md").read_text()


@pytest.mark.long
def test_nvml_and_the_allocator_stand_in_one_table(standin, stand_in, tmp_path):
    (tmp_path / "tiny.toml").write_text(SUITE + "[memory]\n")
    scenario = tmp_path / "scenario"
    write_scenario(scenario, ONE_GPU | {"gpu.0.used": 900 << 20, "gpu.0.compute": f"self:{800 << 20}"})
    with_nvml = {"LD_LIBRARY_PATH": str(stand_in.scenario_file.parent), "EVABENCH_STAND_IN": str(scenario)}
    done = evabench(tmp_path, "run", "tiny.toml", "--device", "standin", uuids=GPU_0, variables=with_nvml)
    assert done.returncode == 0, done.stderr + done.stdout
    evabench(tmp_path, "report", "tiny.toml")
    page = (tmp_path / "reports/tiny/report.md").read_text()
    runs = stored(tmp_path, "tiny")
    assert {run.conditions.limits.device.uuid for run in runs} == {GPU_0}
    for memory in measured(runs, Memory, "standin").values():
        device = memory.device
        assert device.device_bytes == 900 << 20
        in_a_container = any("--pid=host" in reason for reason in device.missing)
        assert (device.process_bytes is None) if in_a_container else (device.process_bytes == 800 << 20)
        assert memory.peak.total + device.data_bytes + device.library_bytes == pytest.approx(
            device.allocated_bytes, rel=0.01
        )
    for words in ("tensors", "+ data set", "+ libraries", "= allocated", "reserved", "process", "device before"):
        assert words in page
    assert "900 MiB" in page


@pytest.fixture
def lone(standin, tmp_path):
    """A suite of one arm, of which nothing was run."""
    (tmp_path / "tiny.toml").write_text(SUITE.replace(SGD, "") + "[memory]\n")
    return tmp_path


@pytest.mark.long
def test_memory_that_ends_on_the_device_is_an_outcome_with_the_allocators_summary(lone):
    done = evabench(lone, "run", "tiny.toml", "--device", "standin", limit_bytes=50_000)
    assert done.returncode == 3
    for run in stored(lone, "tiny"):
        assert run.outcome.kind == "out_of_memory"
        assert "Tried to allocate" in run.outcome.reason
        assert "live_bytes" in run.outcome.stderr_tail


def test_a_device_that_disappears_is_no_fault_of_an_arm_and_nothing_is_stored(lone):
    done = evabench(lone, "run", "tiny.toml", "--device", "standin", lost_after=30)
    assert done.returncode == 3
    assert "its device is gone" in done.stderr
    assert list(lone.glob("results/tiny/*/runs.jsonl")) == [] or stored(lone, "tiny") == ()


@pytest.mark.parametrize(
    ("device", "words"),
    [
        ("standin:5", "There is standin:0, standin:1"),
        pytest.param("npu", "torch takes standin for its accelerator", marks=pytest.mark.long),
    ],
)
def test_a_device_that_is_not_here_is_refused_before_anything_is_run(lone, device, words):
    done = evabench(lone, "run", "tiny.toml", "--device", device)
    assert done.returncode == 2
    assert words in done.stderr


def smoke_tier(suite):
    """Return the file of a suite twice: losses alone for the CPU; the whole smoke tier and counts for a device."""
    text = shipped_suites()[suite].read_text().replace("refresh_every = 50", "refresh_every = 5")
    if suite == "memory":  # its net is whole: smaller images spare minutes of evaluations, and no byte of a state
        text = text.replace('"fashion_mnist_subset"', '"digits"')
    head, smoke = text.split("[tiers.smoke]\n")
    if "convergence" not in smoke.split("\n\n")[0]:
        smoke = "convergence = { seeds = 1, steps = 4, evaluate_every = 2 }\n" + smoke
    losses = re.sub(r"(?m)^(memory|directions|step_time|phases) = .*\n", "", smoke)
    return f"{head}[tiers.smoke]\n{losses}", f"{head}[tiers.smoke]\ncounts = {{ seeds = 1 }}\n{smoke}"


@pytest.fixture(scope="module", params=SMOKE)
def smoke(standin, request, tmp_path_factory):
    """The runs of a smoke tier on a CPU and on a device, made once for all workers."""
    base, suite = tmp_path_factory.getbasetemp(), request.param
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"smoke-{suite}"
    folder.mkdir(exist_ok=True)
    file, done = folder / f"{suite}.toml", folder / "done"
    with FileLock(folder / "lock"):
        if not done.exists():
            for device, text in zip(("cpu", "standin"), smoke_tier(suite), strict=True):
                file.write_text(text)
                ran = evabench(folder, "run", file.name, "--tier", "smoke", "--no-repeat", "--device", device)
                assert ran.returncode == 0, ran.stderr + ran.stdout
            done.touch()
    return stored(folder, suite)


def test_every_run_of_a_smoke_tier_completes_on_the_device(smoke):
    assert {run.outcome.kind for run in smoke} == {"completed"}


def test_the_first_losses_of_a_smoke_tier_on_the_device_are_those_of_the_cpu(smoke):
    """The later ones are compared in double precision (`test_losses`): Eva on a ResNet multiplies a rounding by 1e4."""
    on_cpu, on_device = (measured(smoke, Convergence, device) for device in ("cpu", "standin"))
    assert on_cpu.keys() == on_device.keys() != set()
    for arm, curve in on_cpu.items():
        theirs = on_device[arm]
        assert theirs.training_losses[:2] == pytest.approx(curve.training_losses[:2], rel=1e-5), arm
        first, second = (evaluation.validation_loss for evaluation in curve.evaluations[:2])
        assert theirs.evaluations[0].validation_loss == pytest.approx(first, rel=1e-6), arm
        assert theirs.evaluations[1].validation_loss == pytest.approx(second, rel=1e-4), arm


def test_the_peaks_of_a_smoke_tier_are_those_of_the_devices_own_counter(smoke):
    found = measured(smoke, Memory, "standin")
    assert found
    for arm, memory in found.items():
        counted = memory.device.allocated_bytes - memory.device.data_bytes - memory.device.library_bytes
        assert memory.peak.total == pytest.approx(counted, rel=0.01), arm


def test_no_plain_step_of_a_smoke_tier_reads_from_the_device(smoke):
    refreshing = {(run.cell.workload_name, run.cell.arm) for run in smoke if always_refreshes(run.cell.optimizer)}
    counted = measured(smoke, Counts, "standin")
    found = {arm: counts.plain.host_reads for arm, counts in counted.items() if arm not in refreshing}
    assert found == dict.fromkeys(found, 0)
    assert len(found) >= 2


def always_refreshes(optimizer):
    """Return whether no step is a plain one: by `eigh`, each of them asks on the host whether it went well."""
    return isinstance(optimizer, ShampooSettings) and optimizer.refresh_every == 1
