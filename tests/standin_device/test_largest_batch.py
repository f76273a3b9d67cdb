"""The largest batch that a dry run projects is tried on a device whose memory ends: it trains, and 1.3 of it do not."""

import gc
import math
import re
from dataclasses import replace

import pytest
import torch

from evabench.measurement.bench import Bench
from evabench.measurement.step import training_step
from evabench.records.measurement import CountsSettings
from evabench.settings.autoencoders import AutoencoderSettings
from evabench.settings.classifiers import ClassifierSettings
from evabench.settings.eva import EvaFSettings, EvaSettings, EvaSSettings
from evabench.settings.first_order import AdamWSettings, SgdSettings
from evabench.settings.kronecker import FoofSettings, KfacSettings
from evabench.settings.language import LanguageSettings
from evabench.settings.mfac import MfacSettings
from evabench.settings.shampoo import ShampooSettings
from evabench.worker.build import build_cell, build_workload
from evabench.worker.fake_step import peak_on_fake_tensors
from evabench.worker.largest_batch import project_batch
from evabench.workloads.placed import placed
from tests.runs import cell
from tests.standin_device.command import evabench, stored
from tests.standin_device.process import library

# As in the smoke tiers of the suites.
NETS = {
    "autoencoder": AutoencoderSettings(widths=(784, 100, 30), batch=250),
    "mlp": ClassifierSettings(model="mlp", data="fashion_mnist_subset", width=0.25, batch=100),
    "resnet20": ClassifierSettings(model="resnet20", data="fashion_mnist_subset", width=0.25, batch=8),
    "gpt": LanguageSettings(data="python_stdlib", context=32, layers=1, heads=2, width=32, batch=8, held_out_windows=8),
}
OPTIMIZERS = {
    "SGD": SgdSettings(lr=0.1),
    "SGD, foreach": SgdSettings(lr=0.1, weight_decay=1e-4, fused=False),
    "AdamW": AdamWSettings(lr=1e-3),
    "Eva": EvaSettings(),
    "Eva-f": EvaFSettings(),
    "Eva-s": EvaSSettings(),
    "K-FAC": KfacSettings(refresh_every=3),
    "K-FAC, eigh": KfacSettings(refresh_every=1, factorisation="eigh"),
    "FOOF": FoofSettings(refresh_every=3, factorisation="eigh"),
    "FOOF, top 1": FoofSettings(refresh_every=3, factorisation="eigh", top_k=1),
    "Shampoo": ShampooSettings(refresh_every=3),
    "Shampoo, Newton": ShampooSettings(refresh_every=3, root_method="newton"),
    "M-FAC": MfacSettings(num_gradients=4),
}
_MOST_SAMPLES = 4000  # 1.3 of them are fewer than the training samples of the subset
PAIRS = [(net, optimizer) for net in NETS for optimizer in OPTIMIZERS]


def trains(asked, size, device):
    """Return whether steps of so many samples fit, over two refreshes, the next batch copied beside each."""
    asked = replace(asked, workload=replace(asked.workload, batch=size))
    try:
        workload, optimizer = build_cell(asked, 0, device)
        batches = workload.batches()
        batch = next(batches)
        for _ in range(asked.optimizer.cycle_steps + 2):
            following = next(batches)
            training_step(workload, optimizer, batch)
            batch = following
    except torch.OutOfMemoryError:
        return False
    return True


def tried(net, optimizer):
    """Return the projected batch, and whether it and 1.3 of it train where samples have most of the room."""
    device, counted = torch.device("standin", 0), library()
    asked = replace(
        cell(net=NETS[net], optimizer=OPTIMIZERS[optimizer], measurement=CountsSettings()), device="standin"
    )
    size, room = NETS[net].batch, 0
    without = peak_on_fake_tensors(asked, plain=False, batch_size=1)
    while room < 2.5 * without and size < _MOST_SAMPLES:
        size *= 2
        room = peak_on_fake_tensors(asked, plain=False, batch_size=size)
    resident = placed(build_workload(NETS[net], 0), device).resident_bytes
    gc.collect()
    counted.set_limit_bytes(counted.counters(0)["live_bytes"] + resident + room)
    try:
        bench = Bench(cell=asked, seed=0, warmup_steps=0, build=build_cell, device=device)
        found = project_batch(bench)
        sizes = found.largest, math.ceil(1.3 * found.largest)
        return found.plain_optimizer, found.largest, [trains(asked, size, device) for size in sizes]
    finally:
        counted.set_limit_bytes(-1)


@pytest.mark.long
@pytest.mark.parametrize(("net", "optimizer"), PAIRS)
def test_the_projected_batch_trains_and_a_third_more_does_not(standin, net, optimizer):
    is_plain, largest, trained = standin.ask(tried, net, optimizer)
    assert not is_plain
    assert largest > NETS[net].batch
    assert trained == [True, False]


SUITE = """
name = "tiny"
title = "Tiny"
description = "On a device."
[workloads.small]
workload = "autoencoder"
data = "fashion_mnist_subset"
widths = [784, 24, 8]
batch = 50
[arms.Eva]
optimizer = "eva"
[memory]
"""


@pytest.mark.long
def test_what_a_dry_run_prints_for_a_device_is_what_its_runs_have_room_for(standin, tmp_path):
    file, limit = tmp_path / "tiny.toml", {"limit_bytes": 24_000_000}  # of which the data set takes 9.4
    file.write_text(SUITE)
    words = ("run", "tiny.toml", "--device", "standin")
    printed = evabench(tmp_path, *words, "--dry-run", "--probe-seconds", "600", **limit).stdout
    assert "Projection: the largest batch that fits standin:0" in printed
    found = re.search(r"small, Eva +50 +([\d,]+)", printed)
    assert found, printed
    largest = int(found[1].replace(",", ""))
    for size in (largest, 2 * largest):
        file.write_text(SUITE.replace("batch = 50", f"batch = {size}"))
        evabench(tmp_path, *words, **limit)
    assert [run.outcome.kind for run in stored(tmp_path, "tiny")] == ["completed", "out_of_memory"]
