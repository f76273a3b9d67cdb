"""Settings -> workload and optimizer, ours or a user's own."""

import torch
from torch import nn
from torch.optim import Optimizer

from evabench.errors import EvabenchError, WorkloadError
from evabench.optimizers import build_optimizer as build_ours
from evabench.records.cell import Cell
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.plugin_workloads import PluginWorkloadSettings
from evabench.settings.workloads import WorkloadSettings
from evabench.worker.plugin import build_plugin, build_plugin_workload
from evabench.workloads.build import build_workload as build_our_workload
from evabench.workloads.computed import computed
from evabench.workloads.placed import placed
from evabench.workloads.workload import Workload


def build_cell(cell: Cell, seed: int, device: torch.device) -> tuple[Workload, Optimizer]:
    """Return the workload of a cell on a device, drawn by the seed, and the optimizer of its model."""
    workload = computed(placed(build_workload(cell.workload, seed), device), cell.workload, device)
    return workload, build_optimizer(cell.optimizer, workload.model)


def build_workload(settings: WorkloadSettings, seed: int) -> Workload:
    """Return a workload, drawn by the seed. Raises `DataError` where its data is missing."""
    if isinstance(settings, PluginWorkloadSettings):
        try:
            return build_plugin_workload(settings, seed)
        except EvabenchError:
            raise
        except Exception as error:
            raise WorkloadError("it cannot be made") from error
    return build_our_workload(settings, seed)


def build_optimizer(settings: OptimizerSettings, model: nn.Module) -> Optimizer:
    """Return an optimizer of the model's parameters."""
    if isinstance(settings, PluginSettings):
        return build_plugin(settings, model)
    return build_ours(settings, model)
