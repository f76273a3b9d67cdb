"""How much of a step no mark explains: the phases of every optimizer, each in a fresh process.

    python tools/phase_shares.py [--net autoencoder resnet20]

Goal: "other" is at most 5 % of the step. Exits with 1 where an optimizer misses it.
"""

import argparse
import sys

from evabench.launch.server import LaunchServer
from evabench.records.cell import Cell
from evabench.records.measurement import PhasesSettings
from evabench.records.phases import PHASES, Phases
from evabench.records.request import Request
from evabench.settings.autoencoders import AutoencoderSettings
from evabench.settings.classifiers import ClassifierSettings
from evabench.settings.eva import EvaFSettings, EvaSettings, EvaSSettings
from evabench.settings.first_order import AdamWSettings, SgdSettings
from evabench.settings.kronecker import FoofSettings, KfacSettings
from evabench.settings.mfac import MfacSettings
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.shampoo import ShampooSettings
from evabench.settings.workloads import WorkloadSettings

MAX_OTHER = 0.05
NETS: dict[str, WorkloadSettings] = {
    "autoencoder": AutoencoderSettings(widths=(784, 1000, 500, 250, 30), data="fashion_mnist_subset", batch=1000),
    "resnet20": ClassifierSettings(model="resnet20", data="fashion_mnist_subset", batch=32),
}
ARMS: dict[str, OptimizerSettings] = {
    "SGD": SgdSettings(lr=0.1, momentum=0.9),
    "AdamW": AdamWSettings(lr=1e-3),
    "Eva": EvaSettings(),
    "Eva-f": EvaFSettings(),
    "Eva-s": EvaSSettings(),
    "K-FAC@10": KfacSettings(refresh_every=10),
    "FOOF@10": FoofSettings(refresh_every=10, factorisation="eigh"),
    "Shampoo@10": ShampooSettings(refresh_every=10, statistics_every=1),
    "M-FAC": MfacSettings(),
    "Muon": PluginSettings(
        name="evabench.peers.torch_muon:muon", takes_model=True
    ),  # without marks: its step is "fused"
}


def main() -> int:
    """Print a table a net."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", nargs="+", choices=NETS, default=list(NETS))
    missed = []
    with LaunchServer(layout_seed="phase shares") as server:
        for net in parser.parse_args().net:
            print(f"\n{net}, % of the step\n{'':<12}{'ms':>8}" + "".join(f"{name:>13}" for name in PHASES))
            for arm, optimizer in ARMS.items():
                parts = measure(server, net, arm, optimizer).amortised
                whole = sum(parts.values())
                shares = {name: parts.get(name, 0.0) / whole for name in PHASES}
                print(
                    f"{arm:<12}{1e3 * whole:>8.1f}" + "".join(f"{shares[name]:>13.1%}" for name in PHASES), flush=True
                )
                missed += [f"{arm} on {net}"] if shares["other"] > MAX_OTHER else []
    print(f'\n"other" above {MAX_OTHER:.0%}: {", ".join(missed) or "none"}')
    return 1 if missed else 0


def measure(server: LaunchServer, net: str, arm: str, optimizer: OptimizerSettings) -> Phases:
    """Return the phases of one arm; stops where the run does not complete."""
    cell = Cell(workload_name=net, workload=NETS[net], arm=arm, optimizer=optimizer, measurement=PhasesSettings())
    reply = server.perform(Request(cell=cell, seed=0, warmup_steps=0, timeout_seconds=600))
    if not isinstance(reply.measured, Phases):
        sys.exit(f"{cell.title}: {reply.outcome.kind}: {reply.outcome.reason}")
    return reply.measured


if __name__ == "__main__":
    sys.exit(main())
