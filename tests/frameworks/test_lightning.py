"""Real Lightning: its loop does what a plain one does, and a run that is resumed ends where a straight one does."""

import lightning
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint, StochasticWeightAveraging
from torch import nn
from torch.testing import assert_close
from torch.utils.data import DataLoader, TensorDataset

from evabench.optimizers import EvaF, health
from tests.optimizers.models import BUILDS, parameters, small_net

pytestmark = pytest.mark.filterwarnings("ignore")  # what Lightning says about its own code
ONE_OF_EACH = {name: BUILDS[name] for name in ("eva", "eva-f", "eva-s", "kfac-eigh", "mfac", "foof", "shampoo")}
each_optimizer = pytest.mark.parametrize("build", ONE_OF_EACH.values(), ids=ONE_OF_EACH.keys())


class Net(lightning.LightningModule):
    def __init__(self, build):
        super().__init__()
        self.net = small_net(torch.float32)
        self.build = build

    def training_step(self, batch, batch_idx):
        x, y = batch
        return nn.functional.mse_loss(self.net(x), y)

    def configure_optimizers(self):
        optimizer = self.build(self)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.7)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def data():
    generator = torch.Generator().manual_seed(0)
    return TensorDataset(torch.randn(16, 4, generator=generator), torch.randn(16, 3, generator=generator))


def fit(module, *, checkpoint=None, **settings):
    quiet = dict.fromkeys(("logger", "enable_progress_bar", "enable_model_summary"), False)
    callbacks = settings.pop("callbacks", [])
    saves = any(isinstance(each, ModelCheckpoint) for each in callbacks)
    trainer = lightning.Trainer(accelerator="cpu", enable_checkpointing=saves, callbacks=callbacks, **quiet, **settings)
    trainer.fit(module, DataLoader(data(), batch_size=4), ckpt_path=checkpoint, weights_only=False)
    return trainer


def in_a_plain_loop(build, num_epochs):
    model = small_net(torch.float32)
    optimizer = build(model)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.7)
    x, y = data().tensors
    for step in range(2 * num_epochs):
        optimizer.zero_grad()
        for part in range(2):
            rows = slice(4 * (2 * step + part) % 16, 4 * (2 * step + part) % 16 + 4)
            (nn.functional.mse_loss(model(x[rows]), y[rows]) / 2).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.3)
        optimizer.step()
        schedule.step()
    return parameters(model)


@each_optimizer
def test_lightning_accumulates_clips_and_schedules_as_a_plain_loop_does(build):
    module = Net(build)
    fit(module, max_epochs=2, accumulate_grad_batches=2, gradient_clip_val=0.3)
    assert_close(parameters(module.net), in_a_plain_loop(build, 2))


@each_optimizer
def test_a_resumed_run_of_lightning_ends_where_a_straight_one_does(build, tmp_path):
    straight = Net(build)
    fit(straight, max_epochs=3)
    fit(Net(build), max_epochs=2, callbacks=[ModelCheckpoint(tmp_path, save_last=True)])
    resumed = Net(build)
    fit(resumed, max_epochs=3, checkpoint=tmp_path / "last.ckpt")
    assert_close(parameters(resumed.net), parameters(straight.net), rtol=0, atol=0)


def test_stochastic_weight_averaging_ends_with_its_step_without_gradients():
    module = Net(lambda model: EvaF(model, lr=0.01))
    trainer = fit(module, max_epochs=4, callbacks=[StochasticWeightAveraging(0.01, swa_epoch_start=2)])
    assert all(parameter.isfinite().all() for parameter in module.parameters())
    assert health(trainer.optimizers[0]).skipped_steps == {}


def test_mixed_precision_of_lightning_clips_where_no_loss_is_scaled():
    def build(model):
        optimizer = EvaF(model, lr=0.01)
        optimizer.takes_loss_scale = False
        return optimizer

    trainer = fit(Net(build), max_epochs=1, precision="bf16-mixed", gradient_clip_val=1.0)
    assert health(trainer.optimizers[0]).layers_without_statistics == ()
