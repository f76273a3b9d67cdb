"""Nets for ImageNet, as torchvision and timm build them, with their own initial weights and no download."""

import importlib
from typing import assert_never

import torchvision
from torch import nn

from evabench.errors import SuiteError
from evabench.settings.classifiers import ImageNetNet

TIMM_COMMAND = "pip install 'evabench[models]'"


def build_imagenet_net(model: ImageNetNet, num_classes: int, image_size: int) -> nn.Module:
    """Return the net without pretrained weights. Raises `SuiteError` where it needs timm and timm is missing.

    ViT-B/16 is timm's, whose queries, keys and values are one Linear layer: torchvision's keeps them in a bare
    parameter, which no optimizer of layers can see.
    """
    match model:
        case "resnet50" | "resnet152" | "densenet121":
            net: nn.Module = getattr(torchvision.models, model)(num_classes=num_classes)
            return net
        case "inception_v4":
            return _from_timm("inception_v4", num_classes)
        case "efficientnet_b0":
            return _from_timm("efficientnet_b0", num_classes)
        case "vit_b_16":
            return _from_timm("vit_base_patch16_224", num_classes, img_size=image_size)
        case _:
            assert_never(model)


def _from_timm(name: str, num_classes: int, **options: int) -> nn.Module:
    try:
        timm = importlib.import_module("timm")
    except ImportError:
        raise SuiteError(f"{name} is built by timm, which is not installed. Get it with: {TIMM_COMMAND}") from None
    net: nn.Module = timm.create_model(name, pretrained=False, num_classes=num_classes, **options)
    return net
