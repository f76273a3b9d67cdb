"""torch's own Muon for matrices, AdamW for the rest: no extra package, but torch >= 2.9.

Mathematics: momentum orthogonalised by Newton-Schulz iterations (Jordan, 2024), in bfloat16 as torch has it. It takes
parameters with exactly two axes and refuses kernels of convolutions, which go to AdamW with embeddings, biases and
normalisation layers. The rates differ by nature: `lr` is Muon's, `lr_rest` AdamW's.
"""

import torch
from torch import nn
from torch.optim import AdamW, Optimizer

from evabench.errors import SuiteError
from evabench.peers.joined import Joined, parameters_without


def muon(
    model: nn.Module,
    *,
    lr: float = 0.02,
    momentum: float = 0.95,
    weight_decay: float = 0.0,
    lr_rest: float = 1e-3,
) -> Optimizer:
    """Return Muon over the weights of Linear layers, joined with AdamW over everything else."""
    if not hasattr(torch.optim, "Muon"):
        raise SuiteError(f"torch.optim.Muon needs torch >= 2.9, found {torch.__version__}")
    embedded = {id(each.weight) for each in model.modules() if isinstance(each, nn.Embedding)}
    linear = {id(each.weight) for each in model.modules() if isinstance(each, nn.Linear)} - embedded
    matrices = [each for each in model.parameters() if id(each) in linear and each.requires_grad]
    own = torch.optim.Muon(matrices, lr=lr, momentum=momentum, weight_decay=weight_decay)
    rest = parameters_without(model, matrices)
    return Joined([own, AdamW(rest, lr_rest, weight_decay=weight_decay)]) if rest else own
