"""One gate from its question to its report: lay out both sides, count, time, and say what was not covered."""

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from time import monotonic

from evabench.errors import GateError, IncomparableError, WorkerError
from evabench.gate.asked import (
    GatedSuite,
    check_names_lead_into,
    codes_of,
    lay_sides,
    measuring_code_differs,
    read_gated_suite,
    why_untouched,
)
from evabench.gate.baseline import read_baseline
from evabench.gate.clocks import ClockWatch, watched_clocks
from evabench.gate.control import Control, ControlSeries
from evabench.gate.counted import NUM_PROCESS_PEAKS, Counted, CountedCell, Counting, count_cells, judge_counted
from evabench.gate.coverage import cover
from evabench.gate.environments import environments_of
from evabench.gate.noise_file import NoiseFile, read_noise, write_noise
from evabench.gate.pairs import SIDES, Side
from evabench.gate.report import GateReport, Harness
from evabench.gate.repository import Repository, Revision, find_repository
from evabench.gate.rules import TimedLayer
from evabench.gate.self_test import SelfTest, check_counted, check_timed
from evabench.gate.sides import PACKAGE, SideCode, Sides, Start, is_evabench, other_project
from evabench.gate.timed import Series, Tell, Timed, time_cells, time_pairs
from evabench.gate.why import Why, why_slower
from evabench.launch.server import LaunchServer
from evabench.machine.capability import cpu_capability
from evabench.machine.environment import environment_of
from evabench.machine.host import read_host
from evabench.stats.noise import NOISE_PAIRS

WORKING_TREE = "the working tree"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What `evabench gate` is asked."""

    project: Path
    suite: str
    base: str | None = None  # None: the counted layer alone, of the working tree, against the committed baseline
    head: str | None = None  # None: the working tree
    counted_only: bool = False
    strict: bool = False  # besides what the suite's file says
    exit_zero: bool = False
    harness: Harness = "own"
    pythons: Mapping[Side, str] = field(default_factory=lambda: {"base": sys.executable, "head": sys.executable})
    device: str | None = None  # the kind that takes the place of the suite's own
    device_index: int = 0
    jobs: int = 1  # of counting, which no clock takes part in
    noises: Mapping[tuple[str, TimedLayer], float] = field(default_factory=dict)
    start: Start = LaunchServer
    tell: Tell = lambda line: None


def counter_key(device: str = "cpu") -> str:
    """Return what keyed counters depend on, beside the code: "torch 2.9.1, x86_64 AVX512"."""
    where = "" if device == "cpu" else f", {device}"
    return f"torch {environment_of().torch}, {cpu_capability()}{where}"


def run_gate(asked: Asked) -> GateReport:
    """Return what a gate finds."""
    started, clock = datetime.now(UTC), monotonic()
    gated = read_gated_suite(asked.suite, asked.project, asked.device)
    host = read_host()
    report = GateReport(
        suite=gated.suite.name,
        base=None,
        head=WORKING_TREE,
        harness=asked.harness,
        host=host.id,
        processor=host.cpu,
        started=started.isoformat(timespec="seconds"),
        seconds=0.0,
        quarantined=gated.quarantined(date.today()),
        strict=gated.table.strict or asked.strict,
        exit_zero=gated.table.exit_zero or asked.exit_zero,
    )
    if asked.base is None:
        report = replace(report, counted=_count_alone(asked, gated))
    else:
        # What ends a gate is an answer too: all outputs are written, and say it.
        try:
            with tempfile.TemporaryDirectory(prefix="evabench-gate-") as scratch:
                report = _compare(asked, gated, Path(scratch), report)
        except IncomparableError as error:
            report = replace(report, base=asked.base, head=asked.head or WORKING_TREE, incomparable=str(error))
        except WorkerError as error:
            report = replace(report, base=asked.base, head=asked.head or WORKING_TREE)
            if asked.harness == "this":
                why = f"the optimizers of one side do not run in this evabench: {error}"
                report = replace(report, incomparable=why)
            else:
                report = replace(report, stopped=str(error))
    return replace(report, seconds=monotonic() - clock)


def in_place(asked: Asked) -> SideCode:
    """Return the code of the project as it lies there now."""
    project = asked.project.resolve()
    if not is_evabench(project):
        return other_project(project, WORKING_TREE, asked.pythons["head"])
    if (project / PACKAGE.name).resolve() != PACKAGE.resolve():
        raise GateError(f"the evabench that runs is {PACKAGE}, and not that of {project}: name the sides, with --base")
    return SideCode(title=WORKING_TREE, folder=project, package=PACKAGE, python=asked.pythons["head"])


def count_in_place(asked: Asked, gated: GatedSuite) -> dict[str, CountedCell]:
    """Return the counters of the project as it lies there now."""
    code = in_place(asked)
    sides = Sides(base=code, head=code, start=asked.start)
    return _count(asked, gated, sides, "head")


def _count_alone(asked: Asked, gated: GatedSuite) -> Counted:
    return _judge(gated, gated.baseline, count_in_place(asked, gated), None)


def _judge(
    gated: GatedSuite, baseline: Path, head: Mapping[str, CountedCell], base: Mapping[str, CountedCell] | None
) -> Counted:
    return judge_counted(
        head,
        base,
        read_baseline(baseline),
        key=counter_key(gated.suite.device),
        ignored_bytes=gated.table.ignored_bytes,
    )


def _count(asked: Asked, gated: GatedSuite, sides: Sides, side: Side, peaks: int = 1) -> dict[str, CountedCell]:
    counting = Counting(
        timeout_seconds=gated.suite.timeout_seconds,
        jobs=asked.jobs,
        device_index=asked.device_index,
        tell=lambda line: asked.tell(f"{sides.on(side).title}: {line}"),
    )
    cells = gated.counted_on(sides.on(side))
    return count_cells(cells, sides.launch_of(side), counting, peaks=peaks)


def _compare(asked: Asked, gated: GatedSuite, scratch: Path, report: GateReport) -> GateReport:
    assert asked.base is not None
    repository = find_repository(asked.project, scratch / "git")
    base = repository.revision(asked.base)
    head = repository.working_tree() if asked.head is None else repository.revision(asked.head)
    report = replace(report, base=base.title, head=head.title, base_commit=base.commit, head_commit=head.commit)
    places = lay_sides(repository, scratch, base, head)
    its_own = environments_of(asked.pythons, {side: places[side] for side in SIDES}, scratch, asked.tell)
    report = replace(report, other_dependencies=its_own.differing, environments=its_own.made)
    codes = codes_of(places, _titles(base, head), asked.harness, its_own.pythons)
    sides = Sides(base=codes["base"], head=codes["head"], start=asked.start)
    itself = is_evabench(codes["head"].folder)
    if not itself:
        check_names_lead_into(gated, codes["head"])
    untouched = why_untouched(sides, repository.changed_files(base, head), evabench=itself)
    if untouched:
        return replace(report, untouched=untouched)
    peaks = NUM_PROCESS_PEAKS
    counted = _judge(
        gated,
        gated.baseline_of(codes["head"], asked.project),
        _count(asked, gated, sides, "head", peaks),
        _count(asked, gated, sides, "base", peaks),
    )
    everything = gated.counted_on(codes["head"])
    coverage = cover(
        repository.changed_lines(base, head),
        {name: codes["head"].cell(gated.cells()[name], gated.folder) for name in gated.table.gated},
        everything,
        codes["head"],
        scratch,
        gated.suite.timeout_seconds,
    )
    report = replace(report, counted=counted, coverage=coverage)
    if asked.counted_only:
        return report
    copies = replace(sides, head=codes["copy"])
    with watched_clocks(gated.suite.device, asked.device_index, os.environ) as watch:
        timed, controls, why = _time(asked, gated, sides, copies, scratch, watch)
    clocks = watch.clocks() if watch else None
    return replace(report, timed=timed, controls=controls, clocks=clocks, why=why, num_tests=2 * len(gated.table.gated))


def _codes(asked: Asked, repository: Repository, scratch: Path, base: Revision, head: Revision) -> dict[str, SideCode]:
    places = lay_sides(repository, scratch, base, head)
    return codes_of(places, _titles(base, head), asked.harness, asked.pythons)


def _titles(base: Revision, head: Revision) -> dict[str, str]:
    return {"base": base.title, "head": head.title, "copy": base.title}


def _time(
    asked: Asked, gated: GatedSuite, sides: Sides, copies: Sides, scratch: Path, clocks: ClockWatch | None
) -> tuple[tuple[Timed, ...], tuple[Control, ...], tuple[Why, ...]]:
    timeout, device = gated.suite.timeout_seconds, gated.suite.device
    series = Series(sides=sides, timeout_seconds=timeout, device_index=asked.device_index, tell=asked.tell)

    def control(try_: int) -> list[ControlSeries]:
        made = [ControlSeries("same code", replace(series, sides=copies, layout=f"control {try_}"), device)]
        if measuring_code_differs(sides):
            made.append(ControlSeries("measuring code", replace(series, layout=f"second control {try_}"), device))
        return made

    first = control(1)

    def between(number: int) -> None:
        for one in first:
            one.make_one()

    cells = gated.timed(sides, asked.noises)
    timed = time_cells(cells, replace(series, clocks=clocks, between=between))
    controls = [one.finish() for one in first]
    if not all(one.valid for one in controls):
        asked.tell("a negative control failed: once more, with fresh pairs")
        controls += [one.finish() for one, before in zip(control(2), list(controls), strict=True) if not before.valid]
    slower = {one.cell for one in timed if one.answer == "regression"}
    whys = [why_slower(cell, series, scratch) for cell in cells if cell.name in slower]
    return timed, tuple(controls), tuple(why for why in whys if why is not None)


def run_self_test(asked: Asked) -> SelfTest:
    """Return whether the gate finds what is planted here and now, and says nothing to equal sides.

    The counted part is made in place. The timed part is made on two copies of the working tree.
    """
    gated = read_gated_suite(asked.suite, asked.project, asked.device)
    code = in_place(asked)
    sides = Sides(base=code, head=code, start=asked.start)
    counting = Counting(
        timeout_seconds=gated.suite.timeout_seconds, jobs=asked.jobs, device_index=asked.device_index, tell=asked.tell
    )
    name = gated.table.gated[0]
    cell = code.cell(gated.cells()[name], gated.folder)
    checks = check_counted(name, cell, sides, counting, gated.table.ignored_bytes)
    if asked.counted_only:
        return SelfTest(checks=checks)
    with tempfile.TemporaryDirectory(prefix="evabench-gate-") as scratch:
        repository = find_repository(asked.project, Path(scratch) / "git")
        head = repository.working_tree()
        codes = _codes(asked, repository, Path(scratch), head, head)
        copies = Sides(base=codes["base"], head=codes["head"], start=asked.start)
        series = Series(
            sides=copies,
            timeout_seconds=gated.suite.timeout_seconds,
            device_index=asked.device_index,
            layout="self-test",
            tell=asked.tell,
        )
        timed, visible = check_timed(gated.timed(copies, asked.noises), series)
    return SelfTest(checks=(*checks, *timed), visible=visible)


def run_calibration(asked: Asked, num_gates: int, path: Path) -> NoiseFile:
    """Make so many gates of equal sides, of 19 pairs each, and add every one to the file as soon as it is whole."""
    gated, processor = read_gated_suite(asked.suite, asked.project, asked.device), read_host().cpu
    with tempfile.TemporaryDirectory(prefix="evabench-gate-") as scratch:
        repository = find_repository(asked.project, Path(scratch) / "git")
        head = repository.working_tree()
        codes = _codes(asked, repository, Path(scratch), head, head)
        sides = Sides(base=codes["base"], head=codes["head"], start=asked.start)
        noise = read_noise(path)
        for number in range(num_gates):
            layout = f"calibration {len(noise.gates)} {number}"
            series = Series(
                sides=sides,
                timeout_seconds=gated.suite.timeout_seconds,
                device_index=asked.device_index,
                layout=layout,
                tell=asked.tell,
            )
            noise = noise.with_gate(processor, time_pairs(gated.timed(sides, {}), series, NOISE_PAIRS))
            write_noise(path, noise)
    return noise


def default_jobs() -> int:
    """Return how many runs are counted at once."""
    return max(1, len(os.sched_getaffinity(0)))
