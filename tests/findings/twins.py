"""Honest plug-ins: the built-in optimizers under other names."""

import torch

from evabench.optimizers import FOOF, KFAC, MFAC, Eva, EvaF, EvaS, Shampoo
from evabench.peers.torch_muon import muon


class Sgd(torch.optim.SGD):
    def __init__(self, model, **options):
        super().__init__(model.parameters(), **options)


class AdamW(torch.optim.AdamW):
    def __init__(self, model, **options):
        super().__init__(model.parameters(), **options)


def twin_of(kind):
    return lambda model, **options: kind(model, **options)


eva, eva_f, eva_s = twin_of(Eva), twin_of(EvaF), twin_of(EvaS)
kfac, foof, shampoo, mfac = twin_of(KFAC), twin_of(FOOF), twin_of(Shampoo), twin_of(MFAC)
torch_muon = twin_of(muon)
