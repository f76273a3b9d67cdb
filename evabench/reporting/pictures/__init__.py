"""Pictures as SVG, one for a light and one for a dark page."""
