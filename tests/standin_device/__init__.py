"""A real backend of torch whose device is this machine's own CPU and memory, behind an allocator of its own."""
