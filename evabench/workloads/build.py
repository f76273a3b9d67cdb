"""Settings -> workload."""

from evabench.settings.workloads import WorkloadSettings
from evabench.workloads.autoencoder import AutoencoderWorkload

Workload = AutoencoderWorkload


def build_workload(settings: WorkloadSettings, seed: int) -> Workload:
    """Return model, loss and batches, drawn by the seed. Raises `DataError` where the data is missing."""
    return AutoencoderWorkload(settings, seed)
