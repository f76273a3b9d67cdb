"""The quick start on the device, as a person would type it: `evabench run quickstart --device cuda`, and its report."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from evabench.errors import EvabenchError
from evabench.records.run import Run
from evabench.store.files import RunStore
from tools.gpu_check.answer import Answer, yes_if
from tools.gpu_check.bench import Bench

_SECONDS = 200.0  # of one call; what it has stored stays, and the next one goes on
_TO_STOP = 20.0
_TO_REPORT = 30.0
_JOBS = 4  # each has a context of its own on the device


def quickstart(bench: Bench) -> Answer:
    """Run the quick start on the device; a dry run takes the smoke tier of `ci` on the CPU."""
    words = ("ci", "--tier", "smoke") if bench.dry else ("quickstart",)
    return run_suite(words, bench.device_name, bench.out / "quickstart", _SECONDS)


def run_suite(words: Sequence[str], device: str, folder: Path, seconds: float) -> Answer:
    """Run a suite into a folder, and its report. Raises `TimeoutError` where more is left to run."""
    began = perf_counter()
    where = ("--results", str(folder))
    command = ["run", *words, *where, "--device", device, "--no-repeat", "--jobs", str(min(_JOBS, os.cpu_count() or 1))]
    code, said = _evabench(command, seconds)
    if code is None:
        raise TimeoutError(f"the suite did not end within {seconds:g} s: repeat the command, which goes on")
    reported, _ = _evabench(
        ["report", *words, *where, "--device", device, "--output", str(folder / "reports")], _TO_REPORT
    )
    runs = [run for path in folder.glob("*/*/runs.jsonl") for run in _stored(path)]
    outcomes = Counter(run.outcome.kind for run in runs)
    devices = sorted({run.conditions.limits.device.title for run in runs if run.conditions.limits.device})
    counted = ", ".join(f"{number} {kind}" for kind, number in sorted(outcomes.items()))
    return Answer(
        answer=yes_if(code == 0 and reported == 0 and set(outcomes) == {"completed"}, "differs" if outcomes else "no"),
        figure=f"{counted or 'no run'} on {', '.join(devices) or device} in {perf_counter() - began:.0f} s; "
        f"exit code {code}, of the report {reported}",
        rule="every run completes, and the report is written",
        rows=tuple({"printed": line} for line in said.splitlines()[-60:]),
        values={"outcomes": dict(outcomes), "exit_code": code},
    )


def _evabench(words: Sequence[str], seconds: float) -> tuple[int | None, str]:
    """Return the exit code, None where the time was up, and what was printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "evabench", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        try:
            said, _ = process.communicate(timeout=_TO_STOP)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said, _ = process.communicate()
        return None, said
    return process.returncode, said


def _stored(path: Path) -> Sequence[Run]:
    try:
        return RunStore(path).load()
    except EvabenchError:
        return ()
