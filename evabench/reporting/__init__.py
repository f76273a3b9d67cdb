"""Report data, and its renderings."""
