"""The parent's end of a launch server: start it, ask it for runs, end it."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import ValidationError

import evabench
from evabench.errors import WorkerError
from evabench.launch.descriptors import occupy_standard_descriptors
from evabench.machine.state import THREAD_VARIABLES
from evabench.records.codec import decode, encode
from evabench.records.request import PROTOCOL, ChildReply, Imported, Request, ServerReady, lost, read_imported

_MAX_PADDING_BYTES = 4096


@cache
def this_package() -> Imported:
    """Return the package that this process runs, with its sources as they were at the first call."""
    return read_imported(Path(evabench.__file__).parent)


class LaunchServer:
    """A process with torch imported, that forks one fresh child per run. A launcher on this machine.

    `layout_seed` draws what must not be the same in every session: the hash seed, and the length of the environment,
    which moves the stack. The kernel draws the address layout anew at every exec. `expected` is the package that the
    server must have imported: this process's own, if nothing is said. It runs in `folder`, which is not on its path.
    Folders of `path` are: ahead of what is installed, so that a checkout hides an installed package of its name.
    """

    def __init__(
        self,
        *,
        layout_seed: str,
        python: str = sys.executable,
        folder: Path | None = None,
        expected: Imported | None = None,
        path: Sequence[Path] = (),
    ) -> None:
        draw = random.Random(layout_seed)
        self._environment = {
            **os.environ,
            **dict.fromkeys(THREAD_VARIABLES, "1"),  # no pool before the child sets its own number
            "PYTHONHASHSEED": str(draw.randrange(2**32)),
            "EVABENCH_PADDING": "x" * draw.randrange(_MAX_PADDING_BYTES),
        }
        if path:
            others = os.environ.get("PYTHONPATH")
            self._environment["PYTHONPATH"] = os.pathsep.join([*map(str, path), *([others] if others else [])])
        self._python, self._folder = python, folder
        self._expected = expected or this_package()
        occupy_standard_descriptors()
        self._start()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        start = Path(self._expected.package) / "worker" / "start.py"
        with theirs:
            self._process = subprocess.Popen(
                # -P: neither the folder of the call nor that of the file is on the path of what is measured.
                [self._python, "-P", str(start), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=2,  # what an import prints must not end up in our own output
                env=self._environment,
                cwd=self._folder,
                process_group=0,  # Ctrl-C is for the parent: what it does not wait for any more ends with its socket
            )
        self._control = ours
        self._lines = ours.makefile("rwb")
        self._ready = False

    def _wait_until_ready(self) -> None:
        try:
            self.greeting = self._check(self._lines.readline())
        except BaseException:  # Ctrl-C, while it imports torch
            self._process.kill()
            self.close()
            raise
        self._ready = True

    def perform(self, request: Request) -> ChildReply:
        """Return how the run ended and what it measured. A server that died is an outcome too, of this run alone."""
        if self._process.poll() is not None:
            self.close()
            self._start()
        if not self._ready:
            self._wait_until_ready()
        try:
            self._lines.write(encode(Request, request).encode() + b"\n")
            self._lines.flush()
            line = self._lines.readline()
        except OSError:
            line = b""
        if not line:
            code = self._process.wait()
            how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
            return lost(f"its launch server {how}")
        try:
            return decode(ChildReply, line)
        except ValidationError:
            # What comes behind it cannot be told from the rest of it.
            self._process.kill()
            self._process.wait()
            return lost(f"nobody can read what its launch server answered: {line[:60]!r}")

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
        self._wait_until_ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check(self, line: bytes) -> ServerReady:
        ready = self._greeting(line)
        if ready.imported.package != self._expected.package:
            raise WorkerError(
                f"the launch server imported {ready.imported.package}, and not {self._expected.package}: what it would "
                f"measure is not what is named. Is {self._python} the interpreter that you mean?"
            )
        if ready.imported.sources != self._expected.sources:
            raise WorkerError(
                f"{self._expected.package} has changed since this command began (sources {ready.imported.sources}, "
                f"expected {self._expected.sources}): runs of two codes would have one name. Start the command again."
            )
        if ready.lacks:
            raise WorkerError(
                f"the launch server may not use {ready.lacks}. A container that forbids it needs a newer seccomp "
                "profile, or --security-opt seccomp=unconfined"
            )
        if ready.num_threads != 1:
            raise WorkerError(
                f"importing torch started {ready.num_threads - 1} threads, so a fork of it is no fresh process. "
                "Look for a sitecustomize or an environment variable that starts threads at import."
            )
        return ready

    def _greeting(self, line: bytes) -> ServerReady:
        if not line:
            raise WorkerError(
                f"the launch server did not start (exit code {self._process.wait()}). Does "
                f"`{self._python} -c 'import torch, evabench'` work?"
            )
        try:
            greeting = json.loads(line)
            protocol = greeting.get("protocol")
            if protocol == PROTOCOL:
                return decode(ServerReady, line)
        except (ValueError, AttributeError):  # no JSON, no object, or not a greeting of this protocol
            raise WorkerError(
                f"the launch server of {self._expected.package} began with {line[:60]!r}, which is no greeting. "
                "Does something that it imports write into every descriptor?"
            ) from None
        older = "an older" if protocol is None or protocol < PROTOCOL else "a newer"
        raise WorkerError(
            f"the evabench in {self._expected.package} is {older} one: its launch server speaks protocol "
            f"{protocol or 'none that has a number'}, and this evabench {PROTOCOL}. Use the same version on both sides."
        )
