"""Honest plug-ins: the built-in optimizers under other names, and one with two points."""

import torch

from evabench.optimizers import FOOF, KFAC, MFAC, Eva, EvaF, EvaS, Shampoo
from evabench.peers.torch_muon import muon


class Sgd(torch.optim.SGD):
    def __init__(self, model, **options):
        super().__init__(model.parameters(), **options)


class AdamW(torch.optim.AdamW):
    def __init__(self, model, **options):
        super().__init__(model.parameters(), **options)


class ScheduleFree(torch.optim.Optimizer):
    """SGD without a schedule: trains at y = (1 - beta) z + beta x, and is judged at x, the average of z."""

    def __init__(self, model, lr=0.3, beta=0.9):
        super().__init__(model.parameters(), {"lr": lr, "beta": beta})
        self.num_steps, self.training = 0, True

    def train(self):
        self._move(to_training=True)

    def eval(self):
        self._move(to_training=False)

    @torch.no_grad()
    def step(self, closure=None):
        self.num_steps += 1
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                z = state.setdefault("z", p.clone())
                # p is y, and x follows from y and z: no third copy, as in the authors' code.
                x = p.lerp(z, 1 - 1 / group["beta"])
                z.sub_(p.grad, alpha=group["lr"])
                x.lerp_(z, 1 / self.num_steps)
                p.copy_(x.lerp(z, 1 - group["beta"]))

    @torch.no_grad()
    def _move(self, to_training):
        if self.training is not to_training:
            for group in self.param_groups:
                beta = group["beta"]
                for p in group["params"]:
                    if p in self.state:
                        p.lerp_(self.state[p]["z"], 1 - beta if to_training else 1 - 1 / beta)
        self.training = to_training


def twin_of(kind):
    return lambda model, **options: kind(model, **options)


eva, eva_f, eva_s = twin_of(Eva), twin_of(EvaF), twin_of(EvaS)
kfac, foof, shampoo, mfac = twin_of(KFAC), twin_of(FOOF), twin_of(Shampoo), twin_of(MFAC)
torch_muon = twin_of(muon)
