"""Launchers: a request goes in, the reply of a fresh child comes out; parent side."""
