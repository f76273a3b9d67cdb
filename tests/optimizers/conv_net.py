"""A net with a little of everything, and its training, for the tests on real models."""

import torch
from torch import nn


class ConvNet(nn.Module):
    """A little of everything, with in-place activations after the layers."""

    def __init__(self, **geometry):
        super().__init__()
        torch.manual_seed(0)
        self.tokens = nn.Embedding(10, 4)
        self.first = nn.Conv1d(4, 6, 3, padding="same")
        self.second = nn.Conv2d(3, 4, 3, padding=1, bias=False, **geometry)
        self.norm = nn.BatchNorm2d(4)
        self.third = nn.Conv2d(4, 4, 3, stride=2, groups=2)
        self.head = nn.Linear(4, 3)

    def features(self, images):
        x = nn.functional.relu(self.norm(self.second(images)), inplace=True)
        return nn.functional.relu(self.third(x), inplace=True).mean((2, 3))

    def forward(self, images, tokens):
        words = nn.functional.relu(self.first(self.tokens(tokens).transpose(1, 2)), inplace=True)
        return self.head(self.features(images)) + words.mean((1, 2)).unsqueeze(1)


def conv_batch(seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(4, 3, 7, 6, generator=generator, dtype=dtype)
    tokens = torch.randint(0, 10, (4, 5), generator=generator)
    return images, tokens, torch.randint(0, 3, (4,), generator=generator)


def conv_loss(model, seed=0, dtype=torch.float64):
    images, tokens, y = conv_batch(seed, dtype)
    return nn.functional.cross_entropy(model(images, tokens), y)


def train_conv(model, optimizer, num_steps=3, loss=conv_loss):
    for seed in range(num_steps):
        optimizer.zero_grad()
        loss(model, seed).backward()
        optimizer.step()
