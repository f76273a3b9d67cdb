"""The only door to Matplotlib, which stands here as it comes, whatever the user's environment asks of it.

Its import reads MPLBACKEND, MATPLOTLIBRC and a `matplotlibrc` in the current folder, and fails on what it does not
know, such as Jupyter's backend where Jupyter is not installed. A user's styles, TeX among them, would change or break
pictures.
"""

import contextlib
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def _no_configuration() -> Iterator[None]:
    """Let Matplotlib find its own configuration and no other, while it is imported."""
    found = importlib.util.find_spec("matplotlib")
    shipped = Path(str(found and found.origin)).parent / "mpl-data"
    in_the_way = contextlib.chdir(shipped) if Path("matplotlibrc").exists() else contextlib.nullcontext()
    before = dict(os.environ)
    os.environ.pop("MPLBACKEND", None)
    os.environ["MATPLOTLIBRC"] = str(shipped / "matplotlibrc")
    try:
        with in_the_way:
            yield
    finally:
        for name in ("MPLBACKEND", "MATPLOTLIBRC"):
            os.environ.pop(name, None)
            if name in before:
                os.environ[name] = before[name]


with _no_configuration():
    from matplotlib import rc_context, rcdefaults, rcParams
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

__all__ = ["Axes", "Figure", "FuncFormatter", "LogLocator", "NullLocator", "drawing_with"]


@contextlib.contextmanager
def drawing_with(settings: dict[Any, Any]) -> Iterator[None]:
    """Draw with these settings over Matplotlib's own; what the process had set before comes back afterwards."""
    with rc_context():
        rcdefaults()
        rcParams.update(settings)
        yield
