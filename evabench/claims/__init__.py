"""Claims as data, and their verdicts; renders nothing."""
