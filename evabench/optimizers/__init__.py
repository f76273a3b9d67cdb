"""Optimizers that work on any model, as `torch.optim.Optimizer`s."""

from evabench.optimizers.eva.eva import Eva
from evabench.optimizers.eva.eva_f import EvaF
from evabench.optimizers.eva.eva_s import EvaS
from evabench.optimizers.kfac.foof import FOOF
from evabench.optimizers.kfac.kfac import KFAC
from evabench.optimizers.mfac.mfac import MFAC
from evabench.optimizers.shampoo.shampoo import Shampoo
from evabench.optimizers.shell.coverage import coverage
from evabench.optimizers.shell.health import health

__all__ = ["FOOF", "KFAC", "MFAC", "Eva", "EvaF", "EvaS", "Shampoo", "coverage", "health"]
