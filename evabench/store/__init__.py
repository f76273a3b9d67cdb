"""Runs on disk: append, load, filter."""
