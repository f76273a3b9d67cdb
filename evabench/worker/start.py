"""Starts the launch server of the package that this file lies in: `PYTHON -P .../evabench/worker/start.py FD`.

`python -m` would put the folder of the call first on the path, and run whatever `evabench` or `random.py` lies there.
With `-P` and this file nothing is added to the path, and the package is the parent's, wherever the parent found it.
"""

import gc
import importlib.util
import os
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent


def load_package() -> None:
    """Import the package from its own folder, whatever else is called so on the path."""
    spec = importlib.util.spec_from_file_location(
        PACKAGE.name, PACKAGE / "__init__.py", submodule_search_locations=[str(PACKAGE)]
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE.name] = module
    spec.loader.exec_module(module)


if __name__ in {"__main__", "__mp_main__"}:  # the latter in a process that `multiprocessing` has spawned
    load_package()

if __name__ == "__main__":
    gc.disable()  # to look for garbage takes a quarter of what the imports take
    from evabench.worker.server import main

    main(int(sys.argv[1]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # to take apart what torch has imported takes as long as half of its import
