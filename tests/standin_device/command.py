"""The command line on the stand-in device, as a person with an accelerator types it, and what it stores."""

import os
import subprocess
import sys

from evabench.store.files import RunStore
from tests.standin_device.process import environment


def evabench(folder, *words, variables=None, **settings):
    """Return what a command did in a folder; `limit_bytes=1` is a setting of the device."""
    return subprocess.run(
        [sys.executable, "-m", "evabench", *words],
        cwd=folder,
        env=os.environ | environment(**settings) | (variables or {}),
        capture_output=True,
        text=True,
        check=False,
    )


def stored(folder, name):
    """Return the runs of the one file of a suite."""
    (path,) = folder.glob(f"results/{name}/*/runs.jsonl")
    return RunStore(path).load()


def measured(runs, kind, device):
    """Return the records of one kind that one kind of device made, by workload and arm."""
    return {
        (run.cell.workload_name, run.cell.arm): run.measured
        for run in runs
        if isinstance(run.measured, kind) and run.cell.device == device
    }
