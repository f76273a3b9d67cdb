"""Real process groups on one machine: gloo, met through a file, so that no port can be taken."""

from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed, multiprocessing


def run_on_ranks(work, num_ranks, folder: Path):
    """Return what `work(rank)` returned on every rank, each a process of its own; tensors and containers only."""
    multiprocessing.spawn(_run, (work, num_ranks, str(folder)), nprocs=num_ranks)
    return [torch.load(folder / f"rank{rank}.pt", weights_only=True) for rank in range(num_ranks)]


def _run(rank, work, num_ranks, folder):
    torch.set_num_threads(1)
    meeting = f"file://{folder}/meeting"
    distributed.init_process_group(
        "gloo", init_method=meeting, rank=rank, world_size=num_ranks, timeout=timedelta(seconds=60)
    )
    try:
        torch.save(work(rank), f"{folder}/rank{rank}.pt")
    finally:
        distributed.destroy_process_group()
