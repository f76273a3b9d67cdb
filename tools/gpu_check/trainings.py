"""The nets and optimizers of the checks, with noise on the device: only cost and bytes matter here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from evabench.measurement.step import training_step
from evabench.optimizers import build_optimizer
from evabench.settings.classifiers import ClassifierSettings
from evabench.settings.eva import EvaFSettings, EvaSettings, EvaSSettings
from evabench.settings.kronecker import FoofSettings, KfacSettings
from evabench.settings.mfac import MfacSettings
from evabench.settings.optimizers import BuiltInSettings
from evabench.settings.shampoo import ShampooSettings
from evabench.settings.workloads import AutoencoderSettings, SyntheticSettings
from evabench.workloads.noise import build_on_noise
from evabench.workloads.one_batch import OneBatch
from evabench.workloads.workload import Batch, Workload
from tools.gpu_check.bench import Bench

AE_SMALL, AE, RESNET, WIDE = "autoencoder, b128", "autoencoder, b1000", "ResNet-32, b128", "MLP 2x8192, b1024"
NETS = {
    AE_SMALL: AutoencoderSettings(batch=128),
    AE: AutoencoderSettings(batch=1000),
    RESNET: ClassifierSettings(model="resnet32", batch=128),
    WIDE: SyntheticSettings(width=8192, depth=2, batch=1024),
}
DRY_NETS = {
    AE_SMALL: AutoencoderSettings(widths=(784, 32, 8), batch=8),
    AE: AutoencoderSettings(widths=(784, 32, 8), batch=50),
    RESNET: ClassifierSettings(model="resnet32", batch=2, width=0.25),
    WIDE: SyntheticSettings(width=64, depth=2, batch=16),
}
# No step of these depends on the rate in what it costs; at a low one nothing diverges.
RATE = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """An optimizer by name."""

    build: Callable[[nn.Module], Optimizer]
    cycle_steps: int = 1


def _ours(settings: BuiltInSettings) -> Arm:
    return Arm(build=lambda model: build_optimizer(settings, model), cycle_steps=settings.cycle_steps)


def _torchs(kind: Callable[..., Optimizer], **options: object) -> Arm:
    return Arm(build=lambda model: kind(model.parameters(), **options))


ARMS = {
    "SGD": _torchs(SGD, lr=RATE, momentum=0.9),
    "SGD, fused": _torchs(SGD, lr=RATE, momentum=0.9, fused=True),
    "AdamW": _torchs(AdamW, lr=RATE),
    "AdamW, fused": _torchs(AdamW, lr=RATE, fused=True),
    "Eva": _ours(EvaSettings(lr=RATE)),
    "Eva, compiled": _ours(EvaSettings(lr=RATE, compile=True)),
    "Eva-f": _ours(EvaFSettings(lr=RATE)),
    "Eva-s": _ours(EvaSSettings(lr=RATE)),
    "M-FAC": _ours(MfacSettings(lr=RATE, damping=1.0)),
    "K-FAC@1": _ours(KfacSettings(lr=RATE, refresh_every=1)),
    "K-FAC@10": _ours(KfacSettings(lr=RATE, refresh_every=10)),
    "FOOF@1": _ours(FoofSettings(lr=RATE, refresh_every=1, factorisation="eigh")),
    "FOOF@10": _ours(FoofSettings(lr=RATE, refresh_every=10, factorisation="eigh")),
    "FOOF@10, cholesky": _ours(FoofSettings(lr=RATE, refresh_every=10, factorisation="cholesky")),
    "Shampoo@1": _ours(ShampooSettings(lr=RATE, refresh_every=1, statistics_every=1)),
    "Shampoo@10": _ours(ShampooSettings(lr=RATE, refresh_every=10, statistics_every=1)),
    "Shampoo@10, newton": _ours(ShampooSettings(lr=RATE, refresh_every=10, statistics_every=1, root_method="newton")),
}


@dataclass(slots=True, kw_only=True)
class Training:
    """One optimizer on a net of its own."""

    workload: Workload
    optimizer: Optimizer
    batch: Batch
    cycle_steps: int
    step: Callable[[], object] = field(init=False)

    def __post_init__(self) -> None:
        self.step = partial(training_step, self.workload, self.optimizer, self.batch)

    def cycles(self, num_cycles: int) -> None:
        """Train for whole refresh cycles."""
        for _ in range(num_cycles * self.cycle_steps):
            self.step()

    def at_least(self, num_steps: int) -> None:
        """Train for whole refresh cycles, at least so many steps."""
        self.cycles(-(-num_steps // self.cycle_steps))


def start(bench: Bench, net: str, arm: str) -> Training:
    """Return a training on the device; all arms of a net begin with the same weights, and see the same batch."""
    torch.manual_seed(0)
    made = build_on_noise((DRY_NETS if bench.dry else NETS)[net], seed=0)
    inputs, targets = next(made.batches())
    batch = Batch(inputs.to(bench.device), targets.to(bench.device))
    workload = Workload(made.model.to(bench.device), made.objective, OneBatch(batch))
    chosen = ARMS[arm]
    return Training(
        workload=workload, optimizer=chosen.build(workload.model), batch=batch, cycle_steps=chosen.cycle_steps
    )
