"""The launch server, one child at a time. `start` is the file that is exec'd.

It is exec'd with the interpreter and from the package that are to be measured, imports torch once, runs no operator and
keeps one thread, so that a fork of it is as fresh as a new process, for 0.02 s instead of 2 s. It reads one `Request`
per line from a socket, forks a child for it, watches the child, and answers with one `ChildReply` per line. The child
answers through a pipe of its own, so that nothing it prints can corrupt a result. When the parent goes away (the
socket closes) the server kills its child and ends; when the server is killed, the kernel kills the child.
"""

import ctypes
import gc
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

import torch
from pydantic import ValidationError

import evabench
from evabench.records.codec import decode, encode, first_mistake, prepare
from evabench.records.request import PROTOCOL, ChildReply, Request, ServerReady, lost, read_imported
from evabench.records.run import Outcome
from evabench.worker.backend import load_named_backend
from evabench.worker.main import perform

_STDERR_TAIL_BYTES = 4_000
_BEGUN = b"begun\n"  # ahead of the child's reply: from here on, what happens is the arm's
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def main(control_fd: int) -> None:
    """Serve until the parent closes the socket."""
    load_named_backend()
    with suppress(ConnectionError), socket.socket(fileno=control_fd) as control, control.makefile("rwb") as file:
        lines = cast(BinaryIO, file)
        prepare(ChildReply)
        gc.freeze()  # all that was imported: each child would look through it, and copy its pages
        gc.enable()
        _write(lines, encode(ServerReady, _greeting()))
        while line := lines.readline():
            _write(lines, encode(ChildReply, _answer(line, control)))


def _greeting() -> ServerReady:
    lacks = None
    try:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)  # orphans of a child become children of this process
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError) as error:
        lacks = f"pidfd_open, by which it sees the end of a child ({error})"
    accelerator, num_accelerators = _accelerators()
    return ServerReady(
        accelerator=accelerator,
        num_accelerators=num_accelerators,
        protocol=PROTOCOL,
        imported=read_imported(Path(evabench.__file__).parent),
        num_threads=len(list(Path("/proc/self/task").iterdir())),
        torch_version=str(torch.__version__),
        lacks=lacks,
    )


def _accelerators() -> tuple[str | None, int | None]:
    """Return the kind of torch's accelerator, and how many there are; nothing is asked that would make a context."""
    present = torch.accelerator.current_accelerator()
    if present is None or present.type == "cuda":  # to count CUDA's devices initialises it, and spoils every fork
        return None, None
    count = torch.accelerator.device_count()
    return (present.type, count) if count else (None, 0)


def _answer(line: bytes, control: socket.socket) -> ChildReply:
    try:
        request = decode(Request, line)
    except ValidationError as error:
        return lost(f"the launch server could not read the request: {first_mistake(error)}")
    try:
        child = _Child(request, control)
    except OSError as error:
        return lost(f"the launch server could not make a child: {error.strerror}")
    return child.watch(control)


class _Child:
    """One forked child, with the pipes that it writes to."""

    def __init__(self, request: Request, control: socket.socket) -> None:
        self._timeout_seconds = request.timeout_seconds
        self._result, self._output = bytearray(), bytearray()
        with ExitStack() as undo:
            self._result_fd, result_write = _pipe(undo)
            self._output_fd, output_write = _pipe(undo)
            self._pid = os.fork()
            if self._pid == 0:
                _be_the_child(request, control.fileno(), result_write, output_write)
            undo.callback(self._end)
            self._life_fd = os.pidfd_open(self._pid)
            undo.pop_all()
        os.close(result_write)
        os.close(output_write)

    def watch(self, control: socket.socket) -> ChildReply:
        """Return the child's reply, or an outcome that says how it died."""
        timed_out = not self._read_until_dead(control)
        status = self._end()
        self._drain(self._result_fd, self._result)
        self._drain(self._output_fd, self._output)
        os.close(self._life_fd)
        tail = self._output[-_STDERR_TAIL_BYTES:].decode(errors="replace")
        if timed_out:
            reason = f"took longer than {self._timeout_seconds:g} s"
            return _reply(Outcome(kind="timeout", reason=reason, stderr_tail=tail))
        _, begun, result = bytes(self._result).partition(_BEGUN)
        if not begun:
            return lost(f"the child {_how_it_ended(status)} before its run had begun", tail)
        try:
            reply = decode(ChildReply, result)
        except ValidationError as error:
            if result and status == 0:
                return lost(f"nobody can read what the child answered: {first_mistake(error)}", tail)
            return _reply(_death(status, tail))
        return replace(reply, outcome=replace(reply.outcome, stderr_tail=tail))

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

    def _end(self) -> int:
        """End the child and what it may have left behind; return its status."""
        self._kill()
        _, status = os.waitpid(self._pid, 0)
        _kill_orphans()
        return status

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


def _be_the_child(request: Request, control_fd: int, result_fd: int, output_fd: int) -> NoReturn:
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output_fd, 1)
        os.dup2(output_fd, 2)
        os.setpgid(0, 0)
        os.close(control_fd)  # else the parent would not see the server's end while anything of this run lives
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.write(result_fd, _BEGUN)
        reply = _made(request)
        sys.stdout.flush()
        sys.stderr.flush()
        with open(result_fd, "wb") as result:
            result.write(reply.encode())
        code = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)  # no clean-up of what the server set up


def _made(request: Request) -> str:
    """Return the reply of the run. What the measured code raises is its outcome: an error that gets here is ours."""
    try:
        return encode(ChildReply, perform(request))
    except BaseException as error:
        traceback.print_exc()
        return encode(ChildReply, lost(f"evabench itself failed: {type(error).__name__}: {error}"))


def _pipe(undo: ExitStack) -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        undo.callback(os.close, end)
    return ends


def _reply(outcome: Outcome) -> ChildReply:
    return ChildReply(outcome=outcome, measured=None, threads=None)


def _death(status: int, tail: str) -> Outcome:
    if os.WIFSIGNALED(status):
        hint = " (the kernel does that when memory runs out)" if os.WTERMSIG(status) == signal.SIGKILL else ""
        return Outcome(kind="killed", reason=f"{_how_it_ended(status)}{hint}", stderr_tail=tail)
    return Outcome(kind="crashed", reason=f"{_how_it_ended(status)} and no result", stderr_tail=tail)


def _how_it_ended(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _write(lines: BinaryIO, text: str) -> None:
    lines.write(text.encode() + b"\n")
    lines.flush()
