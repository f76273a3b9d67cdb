"""Energy: from NVML's counters and from RAPL."""
