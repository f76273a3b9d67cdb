"""Parameters and forward FLOPs of every model are the published ones. Nothing is allocated: the tensors are meta.

A multiply-add is two operations; publications that call one multiply-add one "FLOP" are doubled here.
"""

import pytest
import torch

from evabench.errors import SuiteError
from evabench.settings.autoencoders import AutoencoderSettings
from evabench.settings.classifiers import ClassifierSettings
from evabench.settings.language import LanguageSettings
from evabench.settings.synthetic import SyntheticSettings
from evabench.workloads.build import build_model
from evabench.workloads.flops import count_parameters, forward_flops

GPT2_SMALL = LanguageSettings(
    tokens="byte_pairs", vocabulary=50257, context=1024, layers=12, heads=12, width=768, batch=1
)


def on_meta(settings):
    with torch.device("meta"):
        return build_model(settings, seed=0).eval()


def image_flops(settings):
    images = torch.empty(1, settings.images.channels, settings.input_size, settings.input_size, device="meta")
    return forward_flops(on_meta(settings), images)


def gpt_flops(settings):
    return forward_flops(on_meta(settings), torch.empty(1, settings.context, dtype=torch.int64, device="meta"))


@pytest.mark.parametrize(
    ("data", "widths", "weights"),
    [
        # Hinton & Salakhutdinov 2006 with the widths of Eva's scripts: twice the products of neighbouring widths.
        ("mnist", (784, 1000, 500, 250, 30), 2 * (784 * 1000 + 1000 * 500 + 500 * 250 + 250 * 30)),
        ("faces", (625, 1000, 500, 250, 30), 2 * (625 * 1000 + 1000 * 500 + 500 * 250 + 250 * 30)),
    ],
)
def test_the_autoencoder_has_eight_layers_of_the_published_widths(data, widths, weights):
    settings = AutoencoderSettings(data=data, widths=widths)
    model = on_meta(settings)
    assert sum(isinstance(module, torch.nn.Linear) for module in model) == 8
    biases = 2 * (1000 + 500 + 250) + 30 + widths[0]
    assert count_parameters(model) == weights + biases
    assert forward_flops(model, torch.empty(1, widths[0], device="meta")) == 2 * weights


@pytest.mark.parametrize(
    ("model", "millions", "multiply_adds"),
    [
        # He et al. 2015 (arXiv:1512.03385), table 6: 0.27, 0.46, 0.66, 0.85 and 1.7 M parameters. Multiply-adds:
        # chenyaofo/pytorch-cifar-models, table of CIFAR-10 (40.81, 69.12, 97.44, 125.75 M; theirs has a projection
        # where the paper, and we, have none: at most 0.3 M fewer here); ResNet-110: 253 to 255 M in the literature.
        ("resnet20", 0.27, 40.81e6),
        ("resnet32", 0.46, 69.12e6),
        ("resnet44", 0.66, 97.44e6),
        ("resnet56", 0.85, 125.75e6),
        ("resnet110", 1.7, 254e6),
        # Zagoruyko & Komodakis 2016 (arXiv:1605.07146): 36.5 M parameters; later papers list 5.2 billion multiply-adds.
        ("wrn_28_10", 36.5, 5.2e9),
        # chenyaofo/pytorch-cifar-models: 20.57 M parameters and 398.66 M multiply-adds with two hidden Linear layers
        # of 512; the authors' VGG-19 has none of them, 2 * (512 * 512 + 512) parameters fewer.
        ("vgg19", 20.57 - 0.525, 398.66e6 - 2 * 512 * 512),
    ],
)
def test_a_net_for_cifar_has_the_published_size(model, millions, multiply_adds):
    settings = ClassifierSettings(model=model)
    assert count_parameters(on_meta(settings)) == pytest.approx(millions * 1e6, rel=0.02)
    assert image_flops(settings) / 2 == pytest.approx(multiply_adds, rel=0.01)


def test_resnet_110_has_the_parameters_of_the_implementation_that_the_authors_copied():
    # akamaster/pytorch_resnet_cifar10, whose code prints them for its nets with parameter-free shortcuts.
    assert count_parameters(on_meta(ClassifierSettings(model="resnet110"))) == 1_727_962
    assert count_parameters(on_meta(ClassifierSettings(model="resnet20"))) == 269_722


@pytest.mark.parametrize(
    ("model", "parameters", "giga_multiply_adds"),
    [
        # torchvision 0.29, `meta` of its weights: "num_params" and "_ops".
        ("resnet50", 25_557_032, 4.089),
        ("resnet152", 60_192_808, 11.514),
        ("densenet121", 7_978_856, 2.834),
        ("vit_b_16", 86_567_656, 17.564),
        ("efficientnet_b0", 5_288_548, 0.386),
    ],
)
def test_a_net_for_imagenet_has_the_published_size(model, parameters, giga_multiply_adds):
    if model in ("vit_b_16", "efficientnet_b0"):
        pytest.importorskip("timm")
    settings = ClassifierSettings(model=model, data="imagenet", batch=1)
    assert count_parameters(on_meta(settings)) == parameters
    assert image_flops(settings) / 2e9 == pytest.approx(giga_multiply_adds, abs=6e-4)


def test_inception_v4_has_the_published_size():
    # timm's table of results (results-imagenet.csv): 42.68 M parameters; 12.28 billion multiply-adds at 299 pixels,
    # counted there with the pooling and normalisation that we leave out.
    pytest.importorskip("timm")
    settings = ClassifierSettings(model="inception_v4", data="imagenet", image_size=299, batch=1)
    assert count_parameters(on_meta(settings)) == pytest.approx(42.68e6, abs=5e3)
    assert image_flops(settings) / 2e9 == pytest.approx(12.28, rel=0.005)


def test_vit_has_linear_queries_keys_and_values():
    timm = pytest.importorskip("timm")
    model = on_meta(ClassifierSettings(model="vit_b_16", data="imagenet", batch=1))
    assert isinstance(model.blocks[0].attn.qkv, torch.nn.Linear)
    assert timm.__version__


def test_gpt_2_small_has_the_published_parameters_and_operations():
    # Radford et al. 2019: 124 M, 124,439,808 in the released weights. Forward operations at 1,024 tokens:
    # 291,648,307,200, as nanoGPT's notebook on transformer sizes adds them up.
    assert count_parameters(on_meta(GPT2_SMALL)) == 124_439_808
    assert gpt_flops(GPT2_SMALL) == 291_648_307_200


def test_an_untied_head_has_a_weight_of_its_own():
    tied = LanguageSettings()
    untied = LanguageSettings(tied_head=False)
    extra = untied.vocabulary * untied.width
    assert count_parameters(on_meta(untied)) == count_parameters(on_meta(tied)) + extra
    assert gpt_flops(untied) == gpt_flops(tied)


def test_the_smallest_gpt_has_a_million_parameters_and_kaplans_operations():
    # Kaplan et al. 2020 (arXiv:2001.08361), table 1: 2 N + 2 layers context width a token, N = 12 layers width^2
    # without embeddings; that counts half of each of two attention products, and no output layer.
    settings = LanguageSettings()
    assert count_parameters(on_meta(settings)) == pytest.approx(1e6, rel=0.1)
    non_embedding = 12 * settings.layers * settings.width**2
    attention = 2 * 2 * settings.layers * settings.context * settings.width
    head = 2 * settings.vocabulary * settings.width
    assert gpt_flops(settings) == settings.context * (2 * non_embedding + attention + head)


@pytest.mark.parametrize("layer", ["linear", "conv"])
def test_synthetic_layers_have_the_width_depth_and_batch_that_are_asked_for(layer):
    settings = SyntheticSettings(layer=layer, width=24, depth=3, batch=5, image_size=6)
    kernel, positions, sides = (1, 1, ()) if layer == "linear" else (9, 36, (6, 6))
    model = on_meta(settings)
    assert count_parameters(model) == 3 * (24 * 24 * kernel + 24)
    assert forward_flops(model, torch.empty(5, 24, *sides, device="meta")) == 2 * 5 * positions * 3 * 24 * 24 * kernel


def test_channels_scale_in_fixed_proportions_and_the_weights_with_their_square():
    half = ClassifierSettings(model="resnet20").scaled(0.5)
    assert half.hidden_widths == (8, 16, 32)
    assert count_parameters(on_meta(half)) == pytest.approx(269_722 / 4, rel=0.03)
    with pytest.raises(ValueError, match="are not whole numbers"):
        ClassifierSettings(model="resnet20").scaled(0.1)


def test_a_net_of_timm_without_timm_is_an_error_with_the_command(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "timm", None)
    with pytest.raises(SuiteError, match=r"inception_v4 is built by timm.*pip install 'evabench\[models\]'"):
        build_model(ClassifierSettings(model="inception_v4", data="imagenet"), seed=0)
