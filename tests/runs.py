"""Cells and runs for tests of the parent side."""

from evabench.records.cell import Cell
from evabench.records.conditions import Conditions
from evabench.records.host import Code, Host
from evabench.records.run import Outcome, Run, run_key
from evabench.settings.measurement import MemorySettings
from evabench.settings.optimizers import SgdSettings
from evabench.settings.workloads import AutoencoderSettings

SMALL = AutoencoderSettings(widths=(784, 16, 4), batch=50)
HOST = Host(
    cpu="a CPU",
    num_cpus=2,
    memory_bytes=2**34,
    memory_limit_bytes=None,
    cpu_limit=None,
    gpus=(),
    gpu_driver=None,
    system="Linux",
    python="3.11",
    packages={"torch": "2"},
)
CODE = Code(version="0", commit=None, dirty=None, sources="abc", plugin=None)
QUIET = Conditions(jobs=1, threads=1, load_1min=0.5, steal_share=0.0, foreign_cpu_share=None)


def cell(optimizer=None, measurement=None, **changes):
    fields = {
        "workload_name": "small",
        "workload": SMALL,
        "arm": "SGD",
        "optimizer": optimizer or SgdSettings(lr=0.1),
        "measurement": measurement or MemorySettings(),
    }
    return Cell(**(fields | changes))


def run(seed=0, outcome="completed", measured=None, **changes):
    its_cell = cell(**changes)
    return Run(
        key=run_key(its_cell, seed, None, HOST, CODE),
        cell=its_cell,
        seed=seed,
        visit=None,
        host=HOST,
        code=CODE,
        conditions=QUIET,
        outcome=Outcome(kind=outcome, reason=None, stderr_tail=""),
        measured=measured,
        started="2026-01-01T00:00:00+00:00",
    )
