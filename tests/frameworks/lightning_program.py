"""Trains by Lightning on as many ranks as it is told, and writes the parameters that come out: `DEVICES FILE`."""

import json
import sys

import lightning
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from evabench.optimizers import FOOF, KFAC, MFAC, Eva, EvaF, EvaS, Shampoo
from tests.optimizers.models import parameters, small_net

BUILDS = {
    "eva": lambda model: Eva(model, output_gradient="per_example"),
    "eva-f": lambda model: EvaF(model, lr=0.01),
    "eva-s": EvaS,
    "kfac": lambda model: KFAC(model, refresh_every=2),
    "foof": lambda model: FOOF(model, lr=0.05, refresh_every=2),
    "shampoo": lambda model: Shampoo(model, refresh_every=2),
    "mfac": lambda model: MFAC(model, lr=0.01, damping=0.1, num_gradients=2),
}


class Net(lightning.LightningModule):
    def __init__(self, build):
        super().__init__()
        self.net = small_net(torch.float32)
        self.build = build

    def training_step(self, batch, batch_idx):
        # Each rank takes its part of the same batch, so that the ranks together see what one process sees.
        x, y = (each.tensor_split(self.trainer.world_size)[self.global_rank] for each in batch)
        return nn.functional.mse_loss(self.net(x), y)

    def configure_optimizers(self):
        return self.build(self)


def rows():
    generator = torch.Generator().manual_seed(0)
    return TensorDataset(torch.randn(32, 4, generator=generator), torch.randn(32, 3, generator=generator))


def fit(build, devices):
    module = Net(build)
    quiet = dict.fromkeys(("logger", "enable_progress_bar", "enable_model_summary", "enable_checkpointing"), False)
    ranks = {"devices": devices, "strategy": "ddp" if devices > 1 else "auto", "use_distributed_sampler": False}
    trainer = lightning.Trainer(accelerator="cpu", max_epochs=1, **ranks, **quiet)
    trainer.fit(module, DataLoader(rows(), batch_size=8))
    return [value for each in parameters(module.net) for value in each.flatten().tolist()]


if __name__ == "__main__":
    num_devices, path = int(sys.argv[1]), sys.argv[2]
    found = {name: fit(build, num_devices) for name, build in BUILDS.items()}
    if not torch.distributed.is_initialized() or torch.distributed.get_rank() == 0:
        with open(path, "w") as file:
            json.dump(found, file)
