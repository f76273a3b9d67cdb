"""Measure what an optimizer really does for training: time, memory, convergence, with intervals."""

__version__ = "0.1.0"
