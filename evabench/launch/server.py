"""The parent's end of a launch server: start it, ask it for runs, end it."""

import os
import random
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from evabench.errors import WorkerError
from evabench.machine.state import THREAD_VARIABLES
from evabench.records.codec import decode, encode
from evabench.records.request import ChildReply, Request, ServerReady
from evabench.records.run import Outcome

_MAX_PADDING_BYTES = 4096


class LaunchServer:
    """A process with torch imported, that forks one fresh child a run. A context manager.

    `layout_seed` draws what must not be the same in every sweep: the hash seed, and the length of the environment,
    which moves the stack. The kernel draws the address layout anew at every exec.
    """

    def __init__(self, *, layout_seed: str, python: str = sys.executable, folder: Path | None = None) -> None:
        draw = random.Random(layout_seed)
        self._environment = {
            **os.environ,
            **dict.fromkeys(THREAD_VARIABLES, "1"),  # no pool before the child sets its own number
            "PYTHONHASHSEED": str(draw.randrange(2**32)),
            "EVABENCH_PADDING": "x" * draw.randrange(_MAX_PADDING_BYTES),
        }
        self._python, self._folder = python, folder
        self._start()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [self._python, "-m", "evabench.worker.server", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=2,  # what an import prints must not end up in our own output
                env=self._environment,
                cwd=self._folder,
                process_group=0,  # Ctrl-C is for the parent: what it does not wait for any more ends with its socket
            )
        self._control = ours
        self._lines = ours.makefile("rwb")
        try:
            self._check(self._lines.readline())
        except BaseException:  # Ctrl-C, while it imports torch
            self._process.kill()
            self.close()
            raise

    def perform(self, request: Request) -> ChildReply:
        """Return how the run ended and what it measured. A server that died is an outcome too, of this run alone."""
        if self._process.poll() is not None:
            self.close()
            self._start()
        try:
            self._lines.write(encode(Request, request).encode() + b"\n")
            self._lines.flush()
            line = self._lines.readline()
        except OSError:
            line = b""
        if not line:
            code = self._process.wait()
            how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
            outcome = Outcome(kind="killed", reason=f"its launch server {how}", stderr_tail="")
            return ChildReply(outcome=outcome, measured=None, threads=None)
        return decode(ChildReply, line)

    def abandon(self) -> None:
        """End what the server runs now: a `perform` that waits in another thread returns, and its run says nothing."""
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the server and what it runs."""
        with suppress(OSError):  # a server that died left its request unread
            self._lines.close()
        self._control.close()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check(self, line: bytes) -> None:
        try:
            ready = decode(ServerReady, line)
        except ValidationError:
            raise WorkerError(
                f"the launch server did not start (exit code {self._process.wait()}). Does "
                f"`{self._python} -c 'import torch, evabench'` work?"
            ) from None
        if ready.num_threads != 1:
            raise WorkerError(
                f"importing torch started {ready.num_threads - 1} threads, so a fork of it is no fresh process. "
                "Look for a sitecustomize or an environment variable that starts threads at import."
            )
