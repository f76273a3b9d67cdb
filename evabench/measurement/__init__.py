"""Probes; child side."""
