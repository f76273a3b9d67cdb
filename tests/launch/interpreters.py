"""Programs that a launch server is started with in the place of Python."""

import sys
from textwrap import dedent

_FILTER = """
    import ctypes, os, struct, sys

    def forbid(number):
        # Load the number of the system call; where it is this one, refuse it with EPERM; else allow it.
        code = ((0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000))
        lines = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
        program = struct.pack("HxxxxxxP", len(code), ctypes.addressof(lines))
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.prctl(38, 1, 0, 0, 0) == 0
        assert libc.prctl(22, 2, program, 0, 0) == 0
"""


def program(folder, name, text):
    """Write a program in Python that can be started, and return its path."""
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{dedent(text)}")
    path.chmod(0o755)
    return str(path)


def python_without(folder, system_call):
    """Return an interpreter in which a system call is forbidden, as containers forbid some."""
    text = (
        f"{dedent(_FILTER)}\nforbid({system_call})\nos.execv({sys.executable!r}, [{sys.executable!r}, *sys.argv[1:]])"
    )
    return program(folder, "python", text)


def server_that_says(folder, *lines):
    """Return a program that greets with a line, and answers one request with each further one."""
    text = f"""
        import socket, sys
        with socket.socket(fileno=int(sys.argv[-1])) as control, control.makefile("rwb") as file:
            for line in {lines!r}:
                file.write(line.encode() + b"\\n")
                file.flush()
                file.readline()
    """
    return program(folder, "server", text)
