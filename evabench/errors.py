"""The errors that a user can cause, and the exit code of each.

    EvabenchError           exit 2: a file, a name or an option is wrong; the message says how to fix it
    |-- SuiteError          a suite file, with every mistake in it
    |-- ClaimFileError      a claim file, with every mistake in it
    |-- StoreError          a results file
    |-- DataError           a data set is missing, truncated or not the one expected
    |-- DeviceError         a device that this machine does not have
    |-- WorkloadError       a user's own model or data that cannot be made, or not be evaluated before training
    |-- DivergedError       an arm whose loss is not finite where its steps are timed, at whatever rate
    |-- PluginChangedError  a plug-in is not what it was when the run was planned
    |-- GateError           a side of a gate that is not there, or cannot be laid out
    |-- IncomparableError   two sides whose measuring code cannot be compared, or a machine that fails its own control
    |-- WorkerError         the launch server could not start or broke its protocol
    `-- OutputError         standard output, a store, a report or a trace cannot be written, as on a full disk

`ValueError` is for a bad argument in Python, `assert` for our own mistakes. Only `cli/main.py` catches
an `EvabenchError`, prints it and exits.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells its caller; everything is written before it exits."""

    PASS = 0  # nothing refuted, nothing slower
    REGRESSION = 1  # confirmed regression, or a refuted claim under --fail-on-refuted
    USAGE = 2  # a bad option or file
    INCOMPLETE = 3  # some cells did not complete, or nothing was measured
    INCONCLUSIVE = 4  # only with --strict
    INVALID_ENVIRONMENT = 5  # the negative control failed
    OUTPUT = 6  # what there was to say or to keep could not be written
    FAULT = 70  # of evabench itself: a crash never looks like a regression


class EvabenchError(Exception):
    """A mistake of the user or of a file: one message, no traceback."""

    exit_code = ExitCode.USAGE


class SuiteError(EvabenchError):
    """A suite file that cannot be run: every mistake of the file, one per line."""


class ClaimFileError(EvabenchError):
    """A claim file that cannot be judged: every mistake of the file, one per line."""


class StoreError(EvabenchError):
    """A results file that cannot be read or must not be mixed."""


class DataError(EvabenchError):
    """A data set that is missing or damaged, with the command that would get it."""


class DeviceError(EvabenchError):
    """A device that this machine, or this build of torch, does not have."""


class WorkloadError(EvabenchError):
    """A model or data that fails before any optimizer has made a step: no arm is to blame."""


class DivergedError(EvabenchError):
    """A loss that is not finite where only the cost of a step is measured: such a step is no step of training."""


class PluginChangedError(EvabenchError):
    """A plug-in that was edited while its runs were made: what it would measure has another key."""


class GateError(EvabenchError):
    """A side of a gate that is not there: a name that git does not know, a suite without [gate]."""


class IncomparableError(EvabenchError):
    """Two sides that no number compares: their protocols differ."""

    exit_code = ExitCode.INVALID_ENVIRONMENT


class WorkerError(EvabenchError):
    """The launch server could not start, or answered outside its protocol."""

    exit_code = ExitCode.INCOMPLETE


class OutputError(EvabenchError):
    """What there is to write cannot be written: a disk is full, a folder is read-only."""

    exit_code = ExitCode.OUTPUT


def cannot_write(place: object, why: Exception | str, way_out: str) -> OutputError:
    """Return the error for a file or folder that cannot be written, with the ways out."""
    reason = getattr(why, "strerror", None) or str(why)
    return OutputError(f"{place}: it cannot be written: {reason}. Make room for it, or {way_out}")


def printable(text: str) -> str:
    """Return text with its control characters spelled out, but for line ends: a terminal would obey them."""
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)
