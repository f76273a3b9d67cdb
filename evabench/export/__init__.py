"""Stored runs as tables of other programs: pandas, CSV, Parquet, JSON, LaTeX, TensorBoard."""
