"""The launch server: `python -m evabench.worker.server FD`, one child at a time.

It is exec'd with the interpreter and in the folder that are to be measured, imports torch once, runs no operator and
keeps one thread, so that a fork of it is as fresh as a new process, for 0.02 s instead of 2 s. It reads one `Request`
a line from the socket FD, forks a child for it, watches the child, and answers with one `ChildReply` a line. The child
answers through a pipe of its own, so that nothing it prints can corrupt a result. When the parent goes away (the
socket closes) the server kills its child and ends; when the server is killed, the kernel kills the child.
"""

import ctypes
import os
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, cast

import torch

from evabench.records.codec import decode, encode
from evabench.records.request import ChildReply, Request, ServerReady
from evabench.records.run import Outcome
from evabench.worker.main import perform

_STDERR_TAIL_BYTES = 4_000
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def main() -> None:
    """Serve until the parent closes the socket."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)  # orphans of a child become children of this process
    with socket.socket(fileno=int(sys.argv[1])) as control, control.makefile("rwb") as file:
        lines = cast(BinaryIO, file)
        num_threads = len(list(Path("/proc/self/task").iterdir()))
        ready = ServerReady(num_threads=num_threads, torch_version=str(torch.__version__))
        _write(lines, encode(ServerReady, ready))
        while line := lines.readline():
            reply = _Child(decode(Request, line)).watch(control)
            _write(lines, encode(ChildReply, reply))


class _Child:
    """One forked child, with the pipes that it writes to."""

    def __init__(self, request: Request) -> None:
        self._timeout_seconds = request.timeout_seconds
        result_read, result_write = os.pipe()
        output_read, output_write = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _be_the_child(request, result_write, output_write)
        os.close(result_write)
        os.close(output_write)
        self._life_fd = os.pidfd_open(self._pid)
        self._result_fd, self._output_fd = result_read, output_read
        self._result, self._output = bytearray(), bytearray()

    def watch(self, control: socket.socket) -> ChildReply:
        """Return the child's reply, or an outcome that says how it died."""
        timed_out = not self._read_until_dead(control)
        self._kill()  # what it may have left behind, too
        _, status = os.waitpid(self._pid, 0)
        _kill_orphans()
        self._drain(self._result_fd, self._result)
        self._drain(self._output_fd, self._output)
        os.close(self._life_fd)
        tail = self._output[-_STDERR_TAIL_BYTES:].decode(errors="replace")
        if timed_out:
            reason = f"took longer than {self._timeout_seconds:g} s"
            return _reply(Outcome(kind="timeout", reason=reason, stderr_tail=tail))
        if self._result:
            reply = decode(ChildReply, bytes(self._result))
            return replace(reply, outcome=replace(reply.outcome, stderr_tail=tail))
        return _reply(_death(status, tail))

    def _read_until_dead(self, control: socket.socket) -> bool:
        """Read both pipes while the child lives; return False where the time was up before.

        The end of a pipe does not tell: what the child has started may hold it open, and the child may have closed it.
        """
        deadline = time.monotonic() + self._timeout_seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._life_fd, selectors.EVENT_READ, None)
            selector.register(self._result_fd, selectors.EVENT_READ, self._result)
            selector.register(self._output_fd, selectors.EVENT_READ, self._output)
            selector.register(control, selectors.EVENT_READ, None)
            while (left := deadline - time.monotonic()) > 0:
                for key, _ in selector.select(left):
                    if key.fd == self._life_fd:
                        return True
                    if key.data is None:  # the parent says nothing while it waits: it is gone
                        self._kill()
                        _kill_orphans()
                        sys.exit(1)
                    received = os.read(key.fd, 1 << 16)
                    key.data.extend(received)
                    del self._output[: -2 * _STDERR_TAIL_BYTES]
                    if not received:
                        selector.unregister(key.fd)
        return False

    def _kill(self) -> None:
        # The whole group: a data loader's workers too. The child may have left it, or ended by itself.
        for kill in (os.killpg, os.kill):
            with suppress(ProcessLookupError):
                kill(self._pid, signal.SIGKILL)

    @staticmethod
    def _drain(descriptor: int, received: bytearray) -> None:
        """Read what is left in a pipe and close it."""
        os.set_blocking(descriptor, False)
        with suppress(BlockingIOError):
            while more := os.read(descriptor, 1 << 16):
                received += more
        os.close(descriptor)


def _kill_orphans() -> None:
    """Kill what the child started and left in a group or session of its own: it would run beside the next child."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    with suppress(FileNotFoundError):  # a kernel without the list
        while orphans := [int(pid) for pid in children.read_text().split()]:
            for pid in orphans:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _be_the_child(request: Request, result_fd: int, output_fd: int) -> None:
    os.setpgid(0, 0)
    os.close(int(sys.argv[1]))  # else the parent would not see the server's end while anything of this run lives
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output_fd, 1)
    os.dup2(output_fd, 2)
    code = 1
    try:
        reply = encode(ChildReply, perform(request))
        sys.stdout.flush()
        sys.stderr.flush()
        with open(result_fd, "wb") as result:
            result.write(reply.encode())
        code = 0
    finally:
        os._exit(code)  # no clean-up of what the server set up


def _reply(outcome: Outcome) -> ChildReply:
    return ChildReply(outcome=outcome, measured=None, threads=None)


def _death(status: int, tail: str) -> Outcome:
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        hint = " (the kernel does that when memory runs out)" if name == "SIGKILL" else ""
        return Outcome(kind="killed", reason=f"killed by {name}{hint}", stderr_tail=tail)
    code = os.waitstatus_to_exitcode(status)
    return Outcome(kind="crashed", reason=f"ended with exit code {code} and no result", stderr_tail=tail)


def _write(lines: BinaryIO, text: str) -> None:
    lines.write(text.encode() + b"\n")
    lines.flush()


if __name__ == "__main__":
    with suppress(BrokenPipeError):  # the parent went away: nobody is left to be told
        main()
