"""The nets of the optimizer benchmarks, with random data: only their cost matters here.

ResNet-32 after He et al. (2016), section 4.2 (option A shortcuts); VGG-19 with batch norm and one Linear layer, as in
the public CIFAR versions.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

Net = tuple[nn.Module, tuple[Tensor, Tensor], Callable[[Tensor, Tensor], Tensor]]


def autoencoder(batch):
    widths = (784, 1000, 500, 250, 30)
    mirrored = (*widths, *reversed(widths[:-1]))
    layers = []
    for index, (width_in, width_out) in enumerate(pairwise(mirrored)):
        layers.append(nn.Linear(width_in, width_out))
        if index not in (len(widths) - 2, len(mirrored) - 2):
            layers.append(nn.ReLU())
    images = torch.rand(batch, 784)
    return nn.Sequential(*layers), (images, images), nn.functional.mse_loss


class Block(nn.Module):
    def __init__(self, d_in, d_out):
        super().__init__()
        self.stride = 1 if d_in == d_out else 2
        self.extra = d_out - d_in
        self.conv1 = nn.Conv2d(d_in, d_out, 3, self.stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(d_out)
        self.conv2 = nn.Conv2d(d_out, d_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(d_out)

    def forward(self, x):
        out = self.bn2(self.conv2(nn.functional.relu(self.bn1(self.conv1(x)))))
        if self.extra:
            x = nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.extra // 2, self.extra // 2))
        return nn.functional.relu(out + x)


def resnet32(batch):
    widths = [16] * 6 + [32] * 5 + [64] * 5
    net = nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        *(Block(d_in, d_out) for d_in, d_out in pairwise(widths)),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(64, 10),
    )
    return net, _images(batch), nn.functional.cross_entropy


def vgg19(batch):
    layers, d_in = [], 3
    for d_out in (64, 64, "M", 128, 128, "M", *[256] * 4, "M", *[512] * 4, "M", *[512] * 4, "M"):
        if d_out == "M":
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [nn.Conv2d(d_in, d_out, 3, padding=1), nn.BatchNorm2d(d_out), nn.ReLU(inplace=True)]
        d_in = d_out
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 10)), _images(batch), nn.functional.cross_entropy


def _images(batch):
    return torch.randn(batch, 3, 32, 32), torch.randint(10, (batch,))


NETS = {
    "autoencoder, batch 128": lambda: autoencoder(128),
    "autoencoder, batch 1000": lambda: autoencoder(1000),
    "ResNet-32, batch 128": lambda: resnet32(128),
    "VGG-19, batch 64": lambda: vgg19(64),
}
