"""Measure what an optimizer really does for training: time, memory, convergence, with intervals."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evabench.export.frames import curves, load, ratios

__version__ = "0.1.0"
__all__ = ["__version__", "curves", "load", "ratios"]


def __getattr__(name: str) -> Any:
    """Import what works on frames when it is first asked for: pandas takes longer to import than `--help` may take."""
    if name not in {"curves", "load", "ratios"}:
        raise AttributeError(f"module 'evabench' has no attribute {name!r}")
    from evabench.export import frames

    return getattr(frames, name)
