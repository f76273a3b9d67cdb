"""`evabench profile` on a GPU, and work beside the step (points 9 and 10)."""

import json
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

from evabench.measurement.timing.clock import time_visit
from evabench.measurement.timing.phases import time_phases
from evabench.measurement.timing.trace import profile_steps
from evabench.records.measurement import PhasesSettings, ProfileSettings, StepTimeSettings
from tools.gpu_check.answer import Answer, yes_if
from tools.gpu_check.bench import Bench
from tools.gpu_check.trainings import AE_SMALL, WIDE, start


def trace_and_tables(bench: Bench) -> Answer:
    """Profile Eva, and look for kernels in the trace and in the tables."""
    rows, tops = [], {}
    for net in (AE_SMALL, WIDE):
        training = start(bench, net, "Eva")
        training.at_least(3)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "trace.json"
            settings = ProfileSettings(trace=str(path), min_steps=bench.few(10, 2))
            found = profile_steps(training.step, settings, training.cycle_steps)
            categories = Counter(event.get("cat") for event in json.loads(path.read_text())["traceEvents"])
        device = time_phases(training.step, replace(PhasesSettings(), min_steps=bench.few(30, 2)), 1, bench.marks)
        num_steps = len(found.profiled_seconds)
        by_name: Counter[str] = Counter()
        for operator in found.operators:
            by_name[operator.name] += sum(operator.self_seconds) / num_steps
        tops[net] = [{"operator": name, "self ms per step": round(1e3 * s, 4)} for name, s in by_name.most_common(8)]
        rows.append(
            {
                "net": net,
                "kernels in the trace": categories["kernel"],
                "operators' self ms per step": round(1e3 * sum(by_name.values()), 3),
                "profiled step ms": round(1e3 * sum(found.profiled_seconds) / num_steps, 3),
                "parts by the host's clock": _words(found.phases.amortised),
                "parts by the device's events": _words(device.amortised),
                "kernels in the table": sum("kernel" in name.lower() and "cuda" not in name for name in by_name),
                "runtime calls in the table": sum(name.startswith("cuda") for name in by_name),
            }
        )
        bench.release()
    there = all(row["kernels in the trace"] for row in rows)
    as_written = there and not any(row["kernels in the table"] for row in rows)
    return Answer(
        answer="not tried" if bench.dry else yes_if(as_written, "differs" if there else "no"),
        figure=f"kernels in the trace: {[row['kernels in the trace'] for row in rows]}; the tables have "
        f"{[row['runtime calls in the table'] for row in rows]} calls of the CUDA runtime and "
        f"{[row['kernels in the table'] for row in rows]} kernels",
        rule="kernels are in the trace, and the tables have the host's time only, as documented",
        rows=tuple(rows),
        values=tops,
    )


def _words(parts: dict[str, float]) -> str:
    return ", ".join(f"{name} {1e3 * seconds:.3f}" for name, seconds in parts.items())


def side_work(bench: Bench) -> Answer:
    """Read what is withheld: the CPU time of other threads beside a timed block."""
    rows = []
    for arm in ("SGD", "Eva"):
        training = start(bench, AE_SMALL, arm)
        settings = StepTimeSettings(min_steps=bench.few(100, 3))
        visit = time_visit(training.step, bench.clock, settings, 1, warmup_steps=bench.few(20, 1))
        found = visit.side_work
        assert found is not None
        share = found.cpu_seconds / found.block_seconds
        rows.append({"arm": arm, "other threads' share of a CPU": round(share, 3), "threads": found.num_threads})
    shares = [row["other threads' share of a CPU"] for row in rows]
    return Answer(
        answer="not tried" if bench.dry else yes_if(min(shares) > 0.05),
        figure=f"in plain training other threads take {shares} of a CPU (SGD, Eva), so that an optimizer's own could "
        "not be told from them; the package gives None",
        rule="autograd's thread is seen at work in SGD too: then None is right",
        rows=tuple(rows),
    )
