"""Time of a step, and of its parts."""
