"""`evabench doctor`: what this machine is, what it does now, how noisy it is, and what to change."""

from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from evabench.cli.answers import AdviceAnswer, DoctorAnswer
from evabench.cli.output import JsonOption, Output, QuietOption
from evabench.machine.advice import Advice, advise
from evabench.machine.conditions import MachineWatcher
from evabench.machine.environment import environment_of
from evabench.machine.host import read_host
from evabench.machine.state import MachineState, read_machine_state
from evabench.records.conditions import Conditions
from evabench.records.host import Host
from evabench.runner.same_arm import CELL, SameArmPair, noise_of_pairs, time_pairs
from evabench.stats.noise import MIN_PAIRS, NOISE_PAIRS, Noise
from evabench.units import Seconds, format_bytes, format_seconds

_NOT_READABLE = "not readable here"


def examine(
    pairs: Annotated[
        int,
        typer.Option(min=0, metavar="N", help="Pairs of equal timing visits, about 3 s each; 0 measures no noise."),
    ] = 8,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Say what this machine is and does, how noisy its step times are, and what to change."""
    output = Output(as_json=as_json, quiet=quiet)
    console, host, state = output.answer, read_host(), read_machine_state()
    machine, run = _host_rows(host, state), _run_rows(state)
    _print_rows(console, "This machine", machine)
    _print_rows(console, "A run would use", run)
    started = monotonic()
    timed, conditions = _measure(output.notes, pairs)
    noise = noise_of_pairs(timed)
    now, noises = _present_rows(state, conditions), noise_rows(timed, noise, monotonic() - started)
    _print_rows(console, "Now", now)
    _print_rows(console, "Noise of step times", noises)
    advice = advise(state, conditions, noise)
    _print_advice(console, advice, measured=noise is not None)
    told = tuple(AdviceAnswer(problem=one.problem, cause=one.cause, remedy=one.remedy) for one in advice)
    output.give("doctor", DoctorAnswer(machine=machine, run=run, now=now, noise=noises, advice=told))


def _measure(console: Console, num_pairs: int) -> tuple[list[SameArmPair], Conditions | None]:
    if num_pairs == 0:
        return [], None
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("timing equal visits", total=num_pairs + 1)
        watch = MachineWatcher().begin(jobs=1)
        timed = time_pairs(num_pairs, done=lambda: progress.advance(task))
        return timed, watch.end(threads=CELL.threads)


def _host_rows(host: Host, state: MachineState) -> dict[str, str]:
    limits = state.limits
    limit = "no limit" if limits.cpus is None else f"limited to {limits.cpus:g}"
    memory_limit = "no limit" if limits.memory_bytes is None else f"limited to {format_bytes(limits.memory_bytes)}"
    return {
        "CPU": f"{host.cpu}; {host.num_cpus} CPUs, {limits.usable_cpus} usable, {limit}",
        "memory": f"{format_bytes(host.memory_bytes)}, {memory_limit}",
        "GPUs": state.why_no_gpus or ", ".join(state.gpus or ()) or "none visible (CUDA_VISIBLE_DEVICES, or no device)",
        "system": host.system,
        "Python": f"{host.python}; {environment_of().title}",
        "host.id": f"{host.id}, the folder of its runs in results/SUITE/",
    }


def _run_rows(state: MachineState) -> dict[str, str]:
    variables = ", ".join(f"{name}={value}" for name, value in state.thread_variables.items())
    return {
        "threads": f"{CELL.threads}, unless the suite says otherwise",
        "BLAS": f"set to 1 thread until then; this shell has {variables or 'no such variable'}",
    }


def _present_rows(state: MachineState, seen: Conditions | None) -> dict[str, str]:
    rows = {
        "load": f"{state.load_1min:.1f} in the minute before, on {state.limits.usable_cpus} CPUs",
        "free memory": format_bytes(state.free_memory_bytes),
        "swap": f"{format_bytes(state.swap_used_bytes)} of {format_bytes(state.swap_bytes)} used"
        if state.swap_bytes
        else "there is none",
        "governor": _NOT_READABLE if state.governors is None else ", ".join(state.governors),
    }
    if seen is not None:
        rows["stolen"] = _share(seen.steal_share, "by the hypervisor, while the noise was measured")
        rows["others"] = _share(seen.foreign_cpu_share, "by other programs, while the noise was measured")
    return rows


def _share(value: float | None, words: str) -> str:
    return _NOT_READABLE if value is None else f"{value:.1%} of the CPU time {words}"


def noise_rows(pairs: Sequence[SameArmPair], noise: Noise | None, seconds: Seconds) -> dict[str, str]:
    """Return the noise in words, by name of the row."""
    if not pairs:
        return {"measured": "not measured (--pairs 0)"}
    plural = "pair" if len(pairs) == 1 else "pairs"
    fastest = min(min(pair.first_arm_seconds, pair.second_arm_seconds) for pair in pairs)
    rows = {
        "measured": f"{len(pairs)} {plural} of equal visits in {seconds:.0f} s: {CELL.arm} on {CELL.workload.shape}, "
        f"{format_seconds(fastest)} per step at best",
    }
    if noise is None:
        return rows | {"pair sd": f"unknown: it takes {MIN_PAIRS} pairs (--pairs)"}
    interval = noise.pair_sd_interval
    gate = (
        "too noisy"
        if noise.margin is None
        else f"a slow-down below {noise.margin:.1%} would never be called a regression"
    )
    return rows | {
        "pair sd": f"{noise.pair_sd:.1%} (90 % interval {interval.low:.1%} to {interval.high:.1%}): 1.4826 x MAD of "
        "log(second / first), each order's median subtracted, corrected for few pairs",
        "estimate": f"{noise.estimate_sd:.1%} is the sd of a ratio from {NOISE_PAIRS} pairs",
        "gate": f"{gate}; one of {noise.smallest_visible:.1%} would be found by 9 gates of 10",
    }


def _print_rows(console: Console, title: str, rows: Mapping[str, str]) -> None:
    table = Table(title=f"[bold]{title}[/bold]", title_justify="left", title_style="", box=None, show_header=False)
    table.add_column(width=12, no_wrap=True)
    table.add_column(overflow="fold")
    for name, words in rows.items():
        table.add_row(name, Text(words))
    console.print(table)
    console.print()


def _print_advice(console: Console, advice: tuple[Advice, ...], *, measured: bool) -> None:
    if not advice:
        noise = "and the noise is small enough to gate" if measured else "but the noise was not measured"
        console.print(f"Nothing to change: nothing that was read disturbs a measurement, {noise}.")
        return
    console.print("[bold]What to change[/bold]")
    for number, one in enumerate(advice, start=1):
        words = f"{number}. {one.problem} {one.cause} {one.remedy}"
        console.print(words, markup=False)
