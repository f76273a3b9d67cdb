"""What can be set: optimizers, workloads and measurements, as frozen dataclasses that check themselves."""
