"""Models, data and schedules; child side."""
