"""A folder in which the commands of a page find what the page says is there, and a shell that runs them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.docs.blocks import ROOT, blocks

PEERS = ROOT / "results" / "reference" / "peers"


def fill(folder, page):
    """Write the files that a page's blocks are, and lay the committed runs where a page names them."""
    for block in blocks(page):
        if not block.title:
            continue
        name, _, at_its_end = block.title.partition(", ")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((path.read_text() + "\n" if at_its_end else "") + block.text)
    for place in ("results/reference/peers", "results/quickstart", "my-results/peers"):
        shutil.copytree(PEERS, folder / place)
    return folder


def run(command, folder):
    """Return what a shell makes of a command, with this package and this interpreter in front."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
