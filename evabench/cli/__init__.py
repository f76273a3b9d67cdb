"""One verb per file: parse, call, render, return the exit code."""
