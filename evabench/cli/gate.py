"""`evabench gate`: says whether a change is slower, or hungrier, than what it was made from."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from evabench.cli.answers import GateAnswer
from evabench.cli.device import DeviceOption
from evabench.cli.output import JsonOption, Output, QuietOption
from evabench.cli.stored import RESULTS
from evabench.errors import ExitCode, GateError
from evabench.gate.asked import read_gated_suite
from evabench.gate.baseline import Baseline, baseline_diff, read_baseline, write_baseline
from evabench.gate.benchmark_files import FilesBeside, compare_files
from evabench.gate.gate import (
    Asked,
    count_in_place,
    counter_key,
    default_jobs,
    run_calibration,
    run_gate,
    run_self_test,
)
from evabench.gate.noise_file import MIN_GATES, NoiseFile, read_noise
from evabench.gate.outputs.annotations import annotations
from evabench.gate.outputs.decision import decision_json
from evabench.gate.outputs.files import write_outputs
from evabench.gate.report import GateReport, Harness
from evabench.gate.self_test import SelfTest
from evabench.gate.verdict import LAYER_WORDS, exit_code, findings, headline
from evabench.machine.host import read_host
from evabench.runner.devices import find_devices
from evabench.units import format_seconds

_KINDS = {
    "regression": "REGRESSION",
    "invalid": "INVALID",
    "missing": "MISSING",
    "undecided": "undecided",
    "quarantined": "quarantined",
    "change": "changed",
    "note": "fine",
}


def gate_change(
    suite: Annotated[str, typer.Argument(help="A suite with [gate]: a file, or the name of one that ships.")] = "ci",
    base: Annotated[
        str | None, typer.Option(metavar="REF", help="What the change was made from: a commit, branch or tag.")
    ] = None,
    head: Annotated[str | None, typer.Option(metavar="REF", help="The change. [default: HEAD]")] = None,
    working_tree: Annotated[
        bool, typer.Option("--working-tree", help="The change is what is not committed; the base is HEAD.")
    ] = False,
    device: DeviceOption = None,
    project: Annotated[Path, typer.Option(metavar="PATH", help="The repository of the change.")] = Path(),
    counted: Annotated[
        bool,
        typer.Option("--counted", help="The counted layer alone, without a clock. Without --base: the baseline."),
    ] = False,
    refresh_baseline: Annotated[
        bool, typer.Option("--refresh-baseline", help="Count what lies here now, write it, and print what changes.")
    ] = False,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Does the gate find here what is planted, and nothing else? 5 if not.")
    ] = False,
    pytest_benchmark: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="BASE HEAD", help="Show two JSON files of pytest-benchmark beside each other: unpaired."),
    ] = None,
    calibrate: Annotated[
        int, typer.Option(min=0, metavar="N", help="Make N gates of equal sides, and add their noise to the file.")
    ] = 0,
    noise: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Noise that was calibrated. [default: results/gate/HOST/noise.json]"),
    ] = None,
    harness: Annotated[
        str,
        typer.Option(
            metavar="own|this",
            help='Of evabench itself: "own" measures each side by its own code, "this" measures the optimizers of both '
            "by the evabench that runs.",
        ),
    ] = "own",
    output: Annotated[
        Path, typer.Option(metavar="DIR", help="gate.json, junit.xml, gate.sarif, summary.md and comment.md go there.")
    ] = Path("reports/gate"),
    base_python: Annotated[
        str,
        typer.Option(
            metavar="PATH", help="The interpreter of the base, where it needs other packages.", show_default=False
        ),
    ] = sys.executable,
    head_python: Annotated[
        str,
        typer.Option(
            metavar="PATH", help="The interpreter of the head. [default of both: this one]", show_default=False
        ),
    ] = sys.executable,
    strict: Annotated[bool, typer.Option("--strict", help="What is undecided or not covered is exit 4.")] = False,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Tell everything, and fail nothing.")] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Say whether a change makes an optimizer slower or hungrier."""
    told = Output(as_json=as_json, quiet=quiet)
    end_on_termination()
    sides = _sides(base, head, working_tree=working_tree)
    if pytest_benchmark:
        _show_files(told, compare_files(*pytest_benchmark))
        told.give("gate", GateAnswer(report=None, lines=tuple(told.told)))
        return
    host, devices = read_host(), find_devices(device) if device else None
    noise_path = noise or RESULTS / "gate" / host.id / "noise.json"
    asked = Asked(
        project=project,
        suite=suite,
        base=sides[0],
        head=sides[1],
        device=devices.kind if devices else None,
        device_index=devices.indices[0] if devices else 0,
        counted_only=counted,
        harness=_harness(harness),
        pythons={"base": base_python, "head": head_python},
        noises=read_noise(noise_path).noises(host.cpu),
        strict=strict,
        exit_zero=exit_zero,
        jobs=default_jobs(),
        tell=told.note,
    )
    if refresh_baseline:
        _refresh(told, asked)
        told.give("gate", GateAnswer(report=None, lines=tuple(told.told)))
        return
    if calibrate:
        _show_noise(told, run_calibration(asked, calibrate, noise_path), host.cpu, noise_path)
        told.give("gate", GateAnswer(report=None, lines=tuple(told.told)))
        return
    if self_test:
        found = run_self_test(asked)
        _show_self_test(told, found)
        told.give("gate", GateAnswer(report=None, lines=tuple(told.told)))
        code = found.exit_code
        raise typer.Exit(ExitCode.PASS if code is ExitCode.INCONCLUSIVE and not strict else code)
    if asked.base is None and not counted:
        raise GateError(
            "what is the change? --base REF compares HEAD with REF, --working-tree what is not committed with HEAD, "
            "and --counted what lies here with the committed baseline"
        )
    report = run_gate(asked)
    _show(told, report)
    for path in write_outputs(report, output, _suite_file(asked)):
        told.tell(str(path))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in annotations(report):
            told.tell(line)
    told.give("gate", GateAnswer(report=json.loads(decision_json(report)), lines=tuple(told.told)))
    raise typer.Exit(exit_code(report))


def end_on_termination() -> None:
    """Exit as after an error where a service cancels its job: without that the checkouts of both sides stay behind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def _suite_file(asked: Asked) -> str:
    """Return the suite's file as seen from the project, for services that show findings beside files."""
    file, project = read_gated_suite(asked.suite, asked.project, asked.device).file, asked.project.resolve()
    return str(file.relative_to(project)) if file.is_relative_to(project) else file.name


def _harness(name: str) -> Harness:
    if name not in get_args(Harness):
        raise GateError(f'--harness is "own" or "this", got "{name}"')
    return cast(Harness, name)


def _sides(base: str | None, head: str | None, *, working_tree: bool) -> tuple[str | None, str | None]:
    """Return base and head; a head of None is the working tree, a base of None is none."""
    if working_tree:
        if head is not None:
            raise GateError("--working-tree is the head: leave --head out")
        return base or "HEAD", None
    if base is None and head is not None:
        raise GateError(f"--head {head} is compared with what? --base REF")
    return base, None if base is None else head or "HEAD"


def _refresh(told: Output, asked: Asked) -> None:
    gated = read_gated_suite(asked.suite, asked.project, asked.device)
    counted = count_in_place(asked, gated)
    failures = [f"{cell}: {why}" for cell, one in counted.items() for why in one.failures]
    if failures:
        raise GateError("nothing was written, for not every cell could be counted:\n" + "\n".join(failures))
    before = read_baseline(gated.baseline)
    values = {cell: one.values for cell, one in counted.items()}
    after = (before or Baseline(suite=gated.suite.name)).with_counted(values, counter_key(gated.suite.device))
    for line in baseline_diff(before, after) or ["nothing changes"]:
        told.tell(line)
    write_baseline(gated.baseline, after)
    told.tell(f"written: {gated.baseline}. Read the diff before it is committed.")


def _show_noise(told: Output, noise: NoiseFile, processor: str, path: Path) -> None:
    used = noise.noises(processor)
    for (cell, layer), num_gates in noise.num_gates(processor).items():
        found = used.get((cell, layer))
        words = f"{found:.2%}" if found is not None else f"not used below {MIN_GATES} gates"
        told.tell(f"{cell}: {LAYER_WORDS[layer]}: {num_gates} gates of equal sides; noise: {words}")
    told.tell(str(path))


def _show_files(told: Output, found: FilesBeside) -> None:
    for warning in found.warnings:
        told.tell(f"warning: {warning}")
    for one in found.both:
        times = f"{format_seconds(one.base_seconds)} -> {format_seconds(one.head_seconds)}"
        told.tell(f"{one.name}: {one.ratio:.2f} ({times})")
    for side, names in (("base", found.base_only), ("head", found.head_only)):
        for name in names:
            told.tell(f"{name}: in the {side} alone")


def _show_self_test(told: Output, found: SelfTest) -> None:
    for check in found.checks:
        told.tell(f"{check.answer:<16}{check.what}; {check.said}")
    for one in found.visible:
        layer = LAYER_WORDS[one.layer]
        told.tell(f"{one.cell}: {layer}: a slow-down of {one.smallest_slowdown:.0%} can be seen here and now")


def _show(told: Output, report: GateReport) -> None:
    told.tell(headline(report))
    for one in findings(report):
        told.tell(f"{_KINDS[one.kind]:<12}{one.text}")
