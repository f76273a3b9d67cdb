"""The gate: says whether a change is slower, or hungrier, than what it was made from."""
