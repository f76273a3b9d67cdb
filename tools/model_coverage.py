"""Print what each optimizer preconditions in models of timm, torchvision and transformers.

    python tools/model_coverage.py [NAME ...] > table.md

Random weights, one step of Eva on one small batch each; Eva-f, K-FAC and FOOF watch what Eva watches. Eva-s, Shampoo
and M-FAC say it when they are made. docs/coverage.md holds what it prints, and a test compares.
"""

import sys
import warnings
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

import timm
import torch
import torchvision
import transformers
from torch import Tensor, nn

from evabench.optimizers import MFAC, Eva, EvaS, Shampoo
from evabench.optimizers.shell.coverage import Coverage, coverage

Model = tuple[nn.Module, Callable[[nn.Module], Tensor]]
BATCH = 2  # samples: what is asked here is what a layer is, never how well it learns

TIMM = {  # name -> side of the images
    "resnet18": 64,
    "resnet50": 64,
    "resnext50_32x4d": 64,
    "seresnet18": 64,
    "densenet121": 64,
    "vgg11_bn": 64,
    "inception_v3": 96,
    "inception_v4": 96,
    "efficientnet_b0": 64,
    "tf_efficientnet_b0": 65,
    "tf_mobilenetv3_small_100": 65,
    "mobilenetv3_small_100": 64,
    "mobilenetv2_100": 64,
    "mnasnet_100": 64,
    "regnety_002": 64,
    "convnext_atto": 64,
    "convnextv2_atto": 64,
    "nf_resnet26": 64,
    "dm_nfnet_f0": 64,
    "resnetv2_50x1_bit": 64,
    "repvgg_a0": 64,
    "ghostnet_100": 64,
    "hrnet_w18_small": 64,
    "dla34": 64,
    "res2net50_26w_4s": 64,
    "cspresnet50": 64,
    "darknet53": 64,
    "vit_tiny_patch16_224": 224,
    "deit_tiny_patch16_224": 224,
    "beit_base_patch16_224": 224,
    "eva02_tiny_patch14_224": 224,
    "swin_tiny_patch4_window7_224": 224,
    "swinv2_tiny_window8_256": 256,
    "mixer_s32_224": 224,
    "resmlp_12_224": 224,
    "gmlp_ti16_224": 224,
    "pit_ti_224": 224,
    "levit_128s": 224,
    "coat_lite_tiny": 224,
    "xcit_nano_12_p16_224": 224,
    "mobilevit_xxs": 64,
    "poolformer_s12": 64,
    "maxvit_tiny_tf_224": 224,
    "edgenext_xx_small": 64,
    "efficientformer_l1": 224,
}
SMALL = {
    "vocab_size": 101,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
}
HUGGING_FACE: dict[str, tuple[str, dict[str, Any]]] = {
    "GPT-2": ("GPT2LMHeadModel", {"vocab_size": 101, "n_embd": 32, "n_layer": 2, "n_head": 2}),
    "GPT-NeoX": ("GPTNeoXForCausalLM", SMALL),
    "OPT": ("OPTForCausalLM", SMALL | {"word_embed_proj_dim": 32, "ffn_dim": 64}),
    "Llama": ("LlamaForCausalLM", SMALL | {"num_key_value_heads": 2}),
    "Mixtral": ("MixtralForCausalLM", SMALL | {"num_key_value_heads": 2, "num_local_experts": 4}),
    "BERT": ("BertForMaskedLM", SMALL),
    "T5": (
        "T5ForConditionalGeneration",
        {"vocab_size": 101, "d_model": 32, "d_ff": 64, "d_kv": 16, "num_layers": 2, "num_heads": 2}
        | {"decoder_start_token_id": 0},
    ),
}


def of_timm(name: str, batch: int = BATCH) -> Model:
    """Return a model of images."""
    return timm.create_model(name, num_classes=10), _of_images(batch, TIMM[name])


def of_torchvision(name: str, batch: int = BATCH) -> Model:
    """Return a model of torchvision."""
    return getattr(torchvision.models, name)(num_classes=10), _of_images(batch, 224)


def _of_images(batch: int, side: int) -> Callable[[nn.Module], Tensor]:
    images, classes = torch.randn(batch, 3, side, side), 1 + torch.arange(batch) % 9
    return lambda trained: nn.functional.cross_entropy(trained(images), classes)


def of_hugging_face(name: str, batch: int = BATCH) -> Model:
    """Return a model of transformers, small."""
    kind, settings = HUGGING_FACE[name]
    build = getattr(transformers, kind)
    ids = torch.randint(0, 101, (batch, 7))
    return build(build.config_class(**settings)), lambda trained: trained(input_ids=ids, labels=ids).loss


def transformer(batch: int = BATCH) -> Model:
    """Return torch's own, as it is by default: time first."""
    source, target = torch.randn(5, batch, 32), torch.randn(4, batch, 32)
    model = nn.Transformer(32, 2, 1, 1, 64)
    return model, lambda trained: trained(source, target).square().mean()


MODELS: dict[str, Callable[..., Model]] = (
    {"torch Transformer": transformer}
    | {f"transformers {name}": partial(of_hugging_face, name) for name in HUGGING_FACE}
    | {f"torchvision {name}": partial(of_torchvision, name) for name in ("vit_b_16", "swin_v2_t")}
    | {f"timm {name}": partial(of_timm, name) for name in TIMM}
)


def cover(build: Callable[..., Model]) -> tuple[str, ...]:
    """Return the cells of a model: the share that each optimizer takes, the longest factor, and what is left plain."""
    torch.manual_seed(0)
    model, loss = build()
    optimizer = Eva(model.train())
    loss(model).backward()
    optimizer.step()
    found = coverage(optimizer)
    taken = {each.name for each in found.layers if each.treatment == "preconditioned"}
    lengths = (max(each.num_inputs // each.num_groups + 1, each.d_out // each.num_groups) for each in optimizer.layers)
    longest = max((length for length, each in zip(lengths, optimizer.layers, strict=True) if each.name in taken))
    trained = sum(each.numel() for each in model.parameters() if each.requires_grad)
    others = [
        sum(one.numel() for each in other.layers for one in each.parameters if one.requires_grad) / trained
        for other in (EvaS(model), Shampoo(model), MFAC(model, num_gradients=1))
    ]
    return (*(f"{share:.1%}" for share in (found.share, *others)), f"{longest:,}", why_plain(found))


def why_plain(found: Coverage) -> str:
    """Return the reasons why parameters are plain, those of most parameters first, each with its share."""
    total = sum(each.num_parameters for each in found.layers if each.treatment != "frozen")
    shares: dict[str, int] = defaultdict(int)
    for each in found.layers:
        if each.treatment == "plain gradient":
            shares[f"{each.kind}: {each.reason.partition(':')[0].removeprefix(each.kind + ' ')}"] += each.num_parameters
    ranked = sorted(shares.items(), key=lambda pair: -pair[1])
    return "; ".join(f"{words} ({size / total:.1%})" for words, size in ranked[:2])


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    wanted = sys.argv[1:]
    shown = (
        "model",
        "Eva, Eva-f, K-FAC, FOOF",
        "Eva-s",
        "Shampoo",
        "M-FAC",
        "longest factor",
        "the first four leave plain",
    )
    print("| " + " | ".join(shown) + " |")
    print("|---|---|---|---|---|---:|---|")
    for name in MODELS:
        if not wanted or any(each in name for each in wanted):
            print(row(name), flush=True)


def row(name: str) -> str:
    """Return the line of a model; one that fails is a line, too."""
    try:
        cells = cover(MODELS[name])
    except Exception as problem:
        cells = ("-",) * 5 + (f"{type(problem).__name__}: {str(problem).splitlines()[0][:100]}",)
    return "| " + " | ".join((name, *cells)) + " |"


if __name__ == "__main__":
    main()
