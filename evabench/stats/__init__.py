"""Estimates, intervals and bounds; the rules are in docs/statistics.md."""
