"""One verb a file: parse, call, render, return the exit code."""
