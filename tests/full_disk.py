"""A disk on which no file can grow beyond a number of bytes, for what this process writes."""

import resource
import signal
from contextlib import contextmanager


@contextmanager
def full_disk(num_bytes=0):
    """Let every write fail that would make a file longer than this. A file of no bytes can still be made."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
