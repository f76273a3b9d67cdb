"""What is stored: raw observations, never a summary; `None` is "not measured", never 0."""
