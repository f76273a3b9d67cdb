"""The baselines descend in float32 on an autoencoder, a convolutional net and a transformer, at every interval."""

import pytest
import torch
from torch import nn

from evabench.optimizers import FOOF, KFAC, MFAC, Shampoo
from tests.optimizers.test_contract import autoencoder

NUM_STEPS = 40


class Classifier(nn.Module):
    """Embeds tokens, mixes them by attention, and classifies their mean."""

    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(12, 16)
        self.mixer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
        self.head = nn.Linear(16, 3)

    def forward(self, tokens):
        return self.head(self.mixer(self.tokens(tokens)).mean(1))


def conv_net():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, stride=2),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 3),
    )


def problem(name):
    """Return a net, its inputs, its targets and the loss."""
    torch.manual_seed(0)
    match name:
        case "autoencoder":
            x = torch.rand(50, 3) @ torch.rand(3, 64) / 3
            return autoencoder(), x, x, nn.functional.mse_loss
        case "convolutions":
            y = torch.arange(30) % 3
            x = torch.randn(30, 3, 8, 8) + y.view(-1, 1, 1, 1)
            return conv_net(), x, y, nn.functional.cross_entropy
        case _:
            x = torch.randint(0, 12, (30, 6))
            return Classifier(), x, x[:, 0] % 3, nn.functional.cross_entropy


def descend(name, optimizer_class, num_steps, **settings):
    """Return the losses, and the health of the optimizer."""
    model, x, y, criterion = problem(name)
    optimizer = optimizer_class(model, **settings)
    losses = []
    for _ in range(num_steps):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses, optimizer.health()


each_problem = pytest.mark.parametrize("name", ["autoencoder", "convolutions", "transformer"])


@each_problem
@pytest.mark.parametrize("refresh_every", [1, 10, 50])
@pytest.mark.parametrize("optimizer_class", [FOOF, KFAC, Shampoo])
def test_the_loss_falls_and_nothing_fails(name, refresh_every, optimizer_class):
    losses, health = descend(name, optimizer_class, NUM_STEPS, refresh_every=refresh_every, lr=0.05)
    assert losses[-1] < 0.9 * losses[0]
    assert (health.num_failures, health.num_escalations, health.num_stale_refreshes) == (0, 0, 0)


@each_problem
def test_the_loss_of_mfac_falls_and_nothing_fails(name):
    losses, health = descend(name, MFAC, NUM_STEPS, lr=0.01, damping=0.1)
    assert losses[-1] < 0.9 * losses[0]
    assert (health.num_failures, health.num_escalations) == (0, 0)
