"""Nets for small images: VGG-19, ResNet, WRN-28-10, and a plain MLP.

Channels come as the stages' widths, so that a net can be made narrower or wider in fixed proportions. All take images
of any number of channels and any side that survives their halvings.
"""

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

_VGG_CONVOLUTIONS = (2, 2, 4, 4, 4)  # of VGG-19, one per stage


def build_mlp(channels: int, image_size: int, widths: Sequence[int], num_classes: int) -> nn.Sequential:
    """Return Linear layers with ReLU on the flat image."""
    layers: list[nn.Module] = [nn.Flatten()]
    width_in = channels * image_size * image_size
    for width in widths:
        layers += [nn.Linear(width_in, width), nn.ReLU()]
        width_in = width
    return nn.Sequential(*layers, nn.Linear(width_in, num_classes))


def build_vgg(channels: int, widths: Sequence[int], num_classes: int) -> nn.Sequential:
    """Return VGG-19 (Simonyan & Zisserman 2015) with batch normalisation and one Linear layer, as the authors train.

    The three Linear layers of the original belong to images of 224 pixels.
    """
    layers: list[nn.Module] = []
    for width, convolutions in zip(widths, _VGG_CONVOLUTIONS, strict=True):
        for _ in range(convolutions):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            channels = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, num_classes))


def build_resnet(channels: int, depth: int, widths: Sequence[int], num_classes: int) -> nn.Sequential:
    """Return He et al.'s ResNet for CIFAR (arXiv:1512.03385, section 4.2), depth 6n + 2, with its own shortcuts.

    Shortcuts between stages are "option A" of the paper: every other pixel, channels padded with zeros, no parameters.
    Initial weights are Kaiming's normal ones (fan in), in the Linear layer too, as in the authors' scripts.
    """
    num_blocks, rest = divmod(depth - 2, 6)
    assert not rest, f"depth {depth} is not 6n + 2"
    layers: list[nn.Module] = [_convolution(channels, widths[0]), nn.BatchNorm2d(widths[0]), nn.ReLU()]
    width_in = widths[0]
    for stage, width in enumerate(widths):
        for block in range(num_blocks):
            layers.append(_BasicBlock(width_in, width, stride=2 if stage and not block else 1))
            width_in = width
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width_in, num_classes))
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight)
    return net


def build_wide_resnet(channels: int, widths: Sequence[int], num_classes: int) -> nn.Sequential:
    """Return Zagoruyko & Komodakis' WRN-28-k (arXiv:1605.07146) without dropout; widths are 16 k, 32 k, 64 k."""
    stem = 16  # as published at every widening factor
    layers: list[nn.Module] = [_convolution(channels, stem)]
    width_in = stem
    for stage, width in enumerate(widths):
        for block in range(4):
            layers.append(_PreActivationBlock(width_in, width, stride=2 if stage and not block else 1))
            width_in = width
    tail = (nn.BatchNorm2d(width_in), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    net = nn.Sequential(*layers, *tail, nn.Linear(width_in, num_classes))
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
    return net


@final
class _BasicBlock(nn.Module):
    """Two convolutions, each normalised, and a shortcut without parameters."""

    def __init__(self, width_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.norm1 = _convolution(width_in, width, stride), nn.BatchNorm2d(width)
        self.conv2, self.norm2 = _convolution(width, width), nn.BatchNorm2d(width)
        self.stride, self.padding = stride, width - width_in

    def forward(self, images: Tensor) -> Tensor:
        """Return [batch, width, height / stride, width / stride]."""
        residual = self.norm2(self.conv2(torch.relu(self.norm1(self.conv1(images)))))
        shortcut = images
        if self.stride > 1 or self.padding:
            before = self.padding // 2
            channels = (0, 0, 0, 0, before, self.padding - before)
            shortcut = nn.functional.pad(images[:, :, :: self.stride, :: self.stride], channels)
        return torch.relu(residual + shortcut)


@final
class _PreActivationBlock(nn.Module):
    """Normalisation and ReLU before each convolution; where the width changes, a 1 x 1 convolution as the shortcut."""

    def __init__(self, width_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(width_in), _convolution(width_in, width, stride)
        self.norm2, self.conv2 = nn.BatchNorm2d(width), _convolution(width, width)
        self.shortcut = nn.Conv2d(width_in, width, 1, stride, bias=False) if width_in != width else None

    def forward(self, images: Tensor) -> Tensor:
        """Return [batch, width, height / stride, width / stride]."""
        active = torch.relu(self.norm1(images))
        residual: Tensor = self.conv2(torch.relu(self.norm2(self.conv1(active))))
        shortcut: Tensor = images if self.shortcut is None else self.shortcut(active)
        return residual + shortcut


def _convolution(width_in: int, width: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(width_in, width, 3, stride, padding=1, bias=False)
