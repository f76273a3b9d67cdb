"""Marks of the parts of a step on a GPU (point 8)."""

import threading
from dataclasses import replace
from statistics import median
from typing import Any

import torch

from evabench.measurement.timing.phases import time_phases
from evabench.optimizers.phases import listening
from evabench.records.measurement import PhasesSettings
from tools.gpu_check.answer import Answer, yes_if
from tools.gpu_check.bench import Bench
from tools.gpu_check.trainings import AE_SMALL, RESNET, WIDE, start

_SETTINGS = PhasesSettings(min_steps=40, min_cycles=4)
_TRIED = ((AE_SMALL, "SGD"), (AE_SMALL, "Eva"), (RESNET, "Eva"), (WIDE, "SGD"), (WIDE, "Eva"), (WIDE, "K-FAC@10"))


class _Streams:
    """Notes in which stream and on which thread each mark is passed."""

    def __init__(self, bench: Bench) -> None:
        self._bench, self.streams, self.threads, self.num_marks = bench, set[int](), set[int](), 0

    def enter(self, name: str) -> None:
        self._note()

    def leave(self) -> None:
        self._note()

    def _note(self) -> None:
        self.num_marks += 1
        self.threads.add(threading.get_native_id())
        self.streams.add(0 if self._bench.dry else torch.cuda.current_stream().cuda_stream)


def marks_in_the_stream(bench: Bench) -> Answer:
    """Pass the marks of a step with a backward hook in it, in the default stream and in another one."""
    training = start(bench, AE_SMALL, "Eva")
    training.at_least(2)
    rows = []
    for kind in ("default", "another"):
        stream = None if bench.dry or kind == "default" else torch.cuda.Stream()
        bench.synchronize()
        noted = _Streams(bench)
        with torch.cuda.stream(stream), listening(noted):  # None: the current one stays
            training.step()
        bench.synchronize()
        wanted = 0 if stream is None else stream.cuda_stream
        rows.append(
            {
                "stream": kind,
                "marks": noted.num_marks,
                "threads": len(noted.threads),
                "streams": len(noted.streams),
                "all in the step's": noted.streams == {wanted},
            }
        )
    return Answer(
        answer=yes_if(all(row["all in the step's"] for row in rows), "no"),
        figure=f"{rows[0]['marks']} marks per step of Eva, passed on {rows[0]['threads']} threads, lie in "
        f"{rows[0]['streams']} stream (default) and {rows[1]['streams']} (another)",
        rule="every mark, those of autograd's thread too, is passed in the stream of the step",
        rows=tuple(rows),
    )


def parts_of_a_step(bench: Bench) -> Answer:
    """Time the parts of steps beside the same steps without marks; compare the forward pass with itself alone."""
    rows = []
    for net, arm in _TRIED:
        rows.append(_parts(bench, net, arm))
        bench.release()
    dear = [f"{row['net']}: {row['arm']}" for row in rows if row["marked / plain"] > 1.05]
    wide = next(row for row in rows if (row["net"], row["arm"]) == (WIDE, "SGD"))
    alone = wide["forward ms"] / wide["forward alone ms"] - 1
    return Answer(
        answer="not tried" if bench.dry else yes_if(not dear and abs(alone) < 0.1),
        figure=f"marked / plain is {min(row['marked / plain'] for row in rows)} to "
        f"{max(row['marked / plain'] for row in rows)}; on the large net the forward pass inside a step differs from "
        f"the same pass alone by {alone:+.3f}",
        rule="marks make no step more than 5 % longer; alone, the forward pass of a large net is the same within 10 %",
        rows=tuple(rows),
    )


def _parts(bench: Bench, net: str, arm: str) -> dict[str, Any]:
    training = start(bench, net, arm)
    settings = replace(_SETTINGS, min_steps=2, min_cycles=1) if bench.dry else _SETTINGS
    phases = time_phases(training.step, settings, training.cycle_steps, bench.marks)
    found = {name: round(1e3 * seconds, 4) for name, seconds in phases.amortised.items()}
    workload, batch = training.workload, training.batch
    alone = bench.clock.time_steps(lambda: workload.loss(batch), bench.few(30, 2)).step_seconds
    return {
        "net": net,
        "arm": arm,
        "marked / plain": round(median(phases.marked_over_plain), 4),
        "sum of parts ms": round(sum(found.values()), 4),
        "plain step ms": round(1e3 * sum(phases.plain_seconds) / len(phases.plain_seconds), 4),
        "forward ms": found["forward"],
        "forward alone ms": round(1e3 * median(alone), 4),
        "parts ms": ", ".join(f"{name} {ms}" for name, ms in found.items()),
    }
