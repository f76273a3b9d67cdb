"""Statistics of the layers, caught by hooks."""
