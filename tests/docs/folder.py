"""A folder in which the commands of a page find what the page says is there, and a shell that runs them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.docs.blocks import ROOT, blocks

REFERENCE = ROOT / "results" / "reference"
# Where a page has these words: the folder that it speaks of, and the committed runs that lie there here.
LAID = (
    ("results/reference/peers", "results/reference/peers", "peers"),
    ("results/reference/memory", "results/reference/memory", "memory"),
    ("results/reference/quadratic", "results/reference/quadratic", "quadratic"),
    ("claims --runs results/reference", "results/reference/quadratic", "quadratic"),
    ("export quickstart", "results/quickstart", "peers"),
    ("my-results/peers", "my-results/peers", "peers"),
)


TUTORIAL = "docs/tutorial.md"


def fill(folder, page):
    """Write the files that a page's blocks are, and lay the committed runs where a page names them."""
    text = (ROOT / page).read_text(encoding="utf-8")
    borrowed = [block for block in blocks(TUTORIAL) if block.title == "mine.py" and "(../tutorial.md)" in text]
    for block in (*borrowed, *blocks(page)):
        if not block.title:
            continue
        name, _, at_its_end = block.title.partition(", ")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((path.read_text() + "\n" if at_its_end else "") + block.text)
    for words, place, runs in LAID:
        if words in text and not (folder / place).exists():
            shutil.copytree(REFERENCE / runs, folder / place)
    return folder


def run(command, folder):
    """Return what a shell makes of a command, with this package and this interpreter in front."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
