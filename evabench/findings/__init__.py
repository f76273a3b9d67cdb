"""Runs -> evidence, computed once, for everyone who judges or renders."""
