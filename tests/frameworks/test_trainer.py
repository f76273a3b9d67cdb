"""The real Trainer of Hugging Face."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close
from transformers import Trainer, TrainingArguments

from evabench.optimizers import health
from tests.optimizers.models import BUILDS, parameters, small_net

pytestmark = pytest.mark.filterwarnings("ignore")  # what transformers says about its own code
NAMES = ("eva", "kfac-eigh", "shampoo")  # with hooks on both passes, with intervals, without hooks
each_optimizer = pytest.mark.parametrize("build", [BUILDS[name] for name in NAMES], ids=NAMES)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = small_net(torch.float32)

    def forward(self, x, labels):
        return {"loss": nn.functional.mse_loss(self.net(x), labels)}


def data():
    generator = torch.Generator().manual_seed(0)
    return [
        {"x": torch.randn(4, generator=generator), "labels": torch.randn(3, generator=generator)} for _ in range(16)
    ]


def fit(build, folder, *, steps, resume=None, **settings):
    model = Net()
    optimizer = build(model)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.8**step)
    arguments = {"save_strategy": "no", "report_to": "none", "disable_tqdm": True, "use_cpu": True} | settings
    trainer = Trainer(
        model,
        TrainingArguments(str(folder), max_steps=steps, per_device_train_batch_size=4, **arguments),
        train_dataset=data(),
        optimizers=(optimizer, schedule),
    )
    trainer.train(resume_from_checkpoint=resume)
    return model, optimizer


@each_optimizer
def test_the_trainer_accumulates_clips_and_schedules_with_bf16(build, tmp_path):
    model, optimizer = fit(build, tmp_path, steps=4, gradient_accumulation_steps=2, max_grad_norm=0.3, bf16=True)
    assert health(optimizer).layers_without_statistics == ()
    assert health(optimizer).skipped_steps == {}
    assert all(parameter.isfinite().all() for parameter in model.parameters())


@pytest.mark.parametrize("build", [BUILDS["eva"], BUILDS["kfac-eigh"]], ids=["eva", "kfac-eigh"])
def test_a_resumed_run_of_the_trainer_ends_where_a_straight_one_does(build, tmp_path):
    straight, _ = fit(build, tmp_path / "straight", steps=6)
    fit(build, tmp_path / "saved", steps=3, save_strategy="steps", save_steps=3)
    resumed, _ = fit(build, tmp_path / "saved", steps=6, resume=str(tmp_path / "saved" / "checkpoint-3"))
    assert_close(parameters(resumed), parameters(straight), rtol=0, atol=0)
