"""Memory of a step, counted."""
