"""Shampoo: a factor for each axis."""
