"""What a benchmark measured, as lines: `results/bench/NAME.jsonl`, so that a table can be computed again."""

import json
import platform
import subprocess
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import torch

from evabench.machine.host import read_host

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "results" / "bench"


def keep(name, **measured):
    """Append what one process measured, with where and with which code."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    line = {**measured, **_where(), "ended": datetime.now(UTC).isoformat(timespec="seconds")}
    with (FOLDER / f"{name}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


@cache
def _where():
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    host = read_host()
    return {
        "commit": commit.stdout.strip() or None,
        "cpu": host.cpu,
        "num_cpus": host.num_cpus,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
