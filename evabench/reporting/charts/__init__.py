"""Charts as data: what a picture draws once and for all, and what the page draws again when a reader asks."""
