"""What the machine is: the numbers of its processors, and nothing that a call or an installed package changes."""

import os
import subprocess
import sys
from dataclasses import fields, replace

import pytest

from evabench.machine.environment import environment_of, read_environment
from evabench.machine.host import read_host, read_processors
from evabench.records.host import Host, Processor
from evabench.settings.classifiers import ClassifierSettings
from evabench.settings.first_order import SgdSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.store.elsewhere import host_differences, run_differences, stored_elsewhere
from evabench.store.files import RunStore
from tests.runner.machine import machine
from tests.runs import CODE, ENVIRONMENT, HOST, cell, run

XEON = """processor\t: {}
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: {}
model name\t: Intel(R) Xeon(R) Processor
stepping\t: 8
"""
ARM = """processor\t: {}
BogoMIPS\t: 2000.00
CPU implementer\t: {}
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: {}
CPU revision\t: 1
"""


def processors(root, *blocks):
    return read_processors(machine(root, {"proc/cpuinfo": "\n".join(blocks)}))


def test_equal_processors_are_one_kind(tmp_path):
    assert processors(tmp_path, XEON.format(0, 143), XEON.format(1, 143)) == (
        Processor(name="Intel(R) Xeon(R) Processor", vendor="GenuineIntel", family="6", model="143"),
    )


def test_two_processors_of_one_name_are_two_hosts(tmp_path):
    sapphire, cascade = (processors(tmp_path / model, XEON.format(0, model)) for model in ("143", "85"))
    assert replace(HOST, processors=sapphire).id != replace(HOST, processors=cascade).id


def test_two_arm_processors_are_told_apart_by_implementer_part_and_revision(tmp_path):
    neoverse, cortex = (processors(tmp_path / part, ARM.format(0, "0x41", part)) for part in ("0xd4f", "0xd08"))
    assert (neoverse[0].vendor, neoverse[0].model, neoverse[0].revision) == ("0x41", "0xd4f", "1")
    assert replace(HOST, processors=neoverse).id != replace(HOST, processors=cortex).id


def test_big_and_little_cores_are_both_told(tmp_path):
    assert len(processors(tmp_path, ARM.format(0, "0x41", "0xd05"), ARM.format(1, "0x41", "0xd0a"))) == 2


def test_a_system_that_says_nothing_has_the_architecture(tmp_path):
    (only,) = read_processors(tmp_path)
    assert only.name
    assert only.vendor is None


CHANGED = {
    "processors": (Processor(name="another"),),
    "num_cpus": 64,
    "memory_bytes": 1,
    "gpus": ("a GPU",),
    "gpu_driver": "1",
    "system": "another",
    "python": "4",
}


@pytest.mark.parametrize("name", [field.name for field in fields(Host)])
def test_every_field_of_a_host_makes_it_another_and_is_named(name):
    other = replace(HOST, **{name: CHANGED[name]})
    assert other.id != HOST.id
    (told,) = host_differences(other, HOST)
    assert told.startswith(f"{name}: ")


def test_taskset_changes_the_limits_and_not_the_host():
    tell = "from evabench.machine.host import read_host; from evabench.machine.limits import read_limits\n"
    tell += "print(read_host().id, read_limits().usable_cpus)"
    pinned = f"import os; os.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}})\n{tell}"
    done = subprocess.run([sys.executable, "-c", pinned], check=True, capture_output=True, text=True)
    assert done.stdout.split() == [read_host().id, "1"]


def test_an_installed_package_counts_for_the_cells_that_name_it_alone():
    sgd = SgdSettings(lr=0.1)
    assert dict(read_environment(cell(optimizer=sgd)).others) == {}
    nets = {model: ClassifierSettings(model=model, data="imagenet_stand_in") for model in ("resnet50", "vit_b_16")}
    named = {model: list(read_environment(cell(optimizer=sgd, net=net)).others) for model, net in nets.items()}
    assert named == {"resnet50": ["torchvision"], "vit_b_16": ["timm", "torchvision"]}
    adapter = PluginSettings(name="evabench.peers.asdl:KFAC")
    assert list(read_environment(cell(optimizer=adapter)).others) == ["asdfghjkl"]


def test_torch_and_numpy_are_always_told_and_a_package_that_is_not_there_has_no_version():
    found = environment_of("no-such-package")
    assert None not in (found.torch, found.numpy)
    assert found.others == {"no-such-package": None}
    assert found.title == f"torch {found.torch}, numpy {found.numpy}"


def test_runs_of_another_host_are_named_with_their_folder_and_what_differs(tmp_path):
    there = replace(HOST, num_cpus=8, python="3.12")
    for host in (HOST, there):
        RunStore(tmp_path / "quickstart" / host.id / "runs.jsonl").append([replace(run(), host=host)])
    (found,) = stored_elsewhere(tmp_path, "quickstart", HOST)
    assert found.sentence == (
        f"{tmp_path}/quickstart/{there.id}: 1 run of another host "
        "(num_cpus: 8 there, 2 here; python: 3.12 there, 3.11 here)."
    )


def test_what_keeps_a_stored_run_of_this_host_from_being_used_is_named():
    there = run()
    asked = replace(there.cell, subnormals="flush", optimizer=replace(there.cell.optimizer, lr=2.0))
    told = run_differences(
        there, asked, replace(ENVIRONMENT, torch="2.7"), replace(CODE, hashes={"shared": "edited", "workload": "w"})
    )
    assert told == (
        "optimizer.lr: 1.0 there, 2.0 here",
        "subnormals: as it always was there, flush here",
        "torch: 2.6 there, 2.7 here",
        "code: shared, workload",
    )
    assert run_differences(there, there.cell, ENVIRONMENT, CODE) == ()
