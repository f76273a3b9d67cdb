"""Makes one check in a process of its own, forked from one that has imported everything and has no CUDA context.

A check that hangs is killed, one that dies or raises is told as failed, with the end of what it wrote.
"""

import faulthandler
import multiprocessing
import os
import sys
import tempfile
import traceback
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

from tools.gpu_check.answer import Check
from tools.gpu_check.bench import Bench

_END_OF_LOG = 3000


def perform(check: Check, bench: Bench, start_method: str) -> dict[str, Any]:
    """Return the line of the results that the check makes."""
    begun = perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        found = _in_a_process(check, bench, log, start_method)
        if "error" in found and log.exists():
            found["log"] = log.read_text(errors="replace")[-_END_OF_LOG:]
    return {
        "check": check.name,
        "part": check.part,
        "points": check.points,
        "question": check.question,
        "device": bench.device_name,
        "seconds": round(perf_counter() - begun, 2),
        **found,
    }


def _in_a_process(check: Check, bench: Bench, log: Path, start_method: str) -> dict[str, Any]:
    context = multiprocessing.get_context(start_method)
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(check, bench, log, sending))
    process.start()
    sending.close()
    try:
        if not receiving.poll(check.seconds):
            process.kill()
            return {"answer": "failed", "error": f"no answer within {check.seconds:g} s"}
        found: dict[str, Any] = receiving.recv()
        return found
    except EOFError:
        process.join(10)
        return {"answer": "failed", "error": f"the process ended without an answer (exit code {process.exitcode})"}
    finally:
        process.join(5)
        if process.is_alive():
            process.kill()
            process.join()


def _work(check: Check, bench: Bench, log: Path, sending: Connection) -> None:
    with log.open("w", buffering=1) as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
        faulthandler.enable(stream)
        faulthandler.dump_traceback_later(max(1.0, check.seconds - 2), file=stream)
        torch.set_num_threads(1)
        begun = perf_counter()
        try:
            answer = asdict(check.run(bench))
        except BaseException as error:  # whatever it is, the other checks are to be made
            words = f"{type(error).__name__}: {error}"
            sending.send(
                {"answer": "failed", "error": words[:1500], "traceback": traceback.format_exc()[-_END_OF_LOG:]}
            )
        else:
            sending.send({**answer, "own_seconds": round(perf_counter() - begun, 2)})
        finally:
            faulthandler.cancel_dump_traceback_later()
            sys.stdout.flush()
            sending.close()
            os._exit(0)  # a driver that hangs in its clean-up is not waited for
