"""A process of its own in which torch has the stand-in device: with it, it is torch's accelerator everywhere."""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

BACKEND = Path(__file__).with_name("backend.py")


class StandInProcess:
    """Runs functions of test modules there, one after the other."""

    def __init__(self):
        self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_load)
        self._pool.submit(os.getpid).result()

    def ask(self, body, *arguments):
        """Return what `body(*arguments)` returns in that process."""
        return self._pool.submit(body, *arguments).result()

    def close(self):
        self._pool.shutdown()


def _load():
    from evabench.worker.backend import load_backend

    load_backend(str(BACKEND))


def environment(**settings):
    """Return the variables with which a launch server has the device; `limit_bytes=1` is STANDIN_LIMIT_BYTES."""
    variables = {"EVABENCH_DEVICE_BACKEND": str(BACKEND)}
    return variables | {f"STANDIN_{name.upper()}": str(value) for name, value in settings.items()}


def library():
    """Return the built backend of this process, with its counters."""
    import sys

    return sys.modules["evabench_device_backend"].library
