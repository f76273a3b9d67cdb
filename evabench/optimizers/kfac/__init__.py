"""K-FAC and FOOF: Kronecker factors."""
