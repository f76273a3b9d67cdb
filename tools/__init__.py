"""Scripts for who works on evabench; not part of the package."""
