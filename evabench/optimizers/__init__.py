"""Optimizers that work on any model, as `torch.optim.Optimizer`s."""

from evabench.optimizers.coverage import coverage
from evabench.optimizers.eva import Eva
from evabench.optimizers.eva_f import EvaF
from evabench.optimizers.eva_s import EvaS
from evabench.optimizers.foof import FOOF
from evabench.optimizers.health import health
from evabench.optimizers.kfac import KFAC
from evabench.optimizers.mfac import MFAC
from evabench.optimizers.shampoo import Shampoo

__all__ = ["FOOF", "KFAC", "MFAC", "Eva", "EvaF", "EvaS", "Shampoo", "coverage", "health"]
