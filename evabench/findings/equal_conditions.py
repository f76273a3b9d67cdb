"""Equal conditions, checked: what each arm's own runs say, beside those of the other arms of its workload.

A check has a name, a threshold with its reason, and a sentence. One that fails makes no comparison with this arm valid,
in whichever direction it points. What was not measured fails nothing. `docs/measurement.md` has the table.

Where arms are compared, the built-in ones say what is usual: their code is here for everybody to read. Where an arm is
the only one, or no built-in arm stands beside it, such a check has nothing to say.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import TypeVar

from evabench.findings.arm import MeasuredArm
from evabench.findings.clocks import training_clock
from evabench.findings.effort import Effort, effort_of, over_expected
from evabench.findings.failed_check import About, FailedCheck
from evabench.records.checks import TrainingChecks
from evabench.records.convergence import Convergence
from evabench.records.memory import Memory
from evabench.records.step_time import WarmUp
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.units import Bytes, format_bytes, format_seconds

Value = TypeVar("Value")
Found = Iterator[tuple[str, About, str]]  # name of the check, what it is about, its finding

# Of two floating-point results of one computation: on a CPU they are equal, on a device sums may have another order.
_SAME = 1e-6
# CPU time of a step in training over the same where it is timed, over what the built-in arms let expect. With up to ten
# times as many programs as CPUs, single runs had 0.93 to 1.11: a median that is a quarter off is far outside of that.
_MAX_TRAINED_OVER_TIMED = 1.25
# Of one or two runs, on which no verdict rests, and where no built-in arm shows what is usual: on a busy machine 20
# steps of 0.7 ms once took 1.5 times as much, and small steps of SGD have up to 1.23 of their own.
_MAX_OF_FEW = 2.0
_FEW = 3
# Of the CPU time of all steps, in few of them: as much as two clocks may differ (`clocks`).
_MAX_RARE_SHARE = 0.1
_MIN_RARE_RATIO = 1.1
# Of two wall clocks, of runs that were alone: a machine's own unrest is within this.
_MAX_CLOCK_OVER_TIMED = 1.5
# Work beside the step that no wall time need hold. A thread that waits takes less than 1 %.
_MAX_BESIDE_SHARE = 0.05
_LEAST_BESIDE_SECONDS = 0.05  # the CPU time of a process comes in ticks of 10 ms
# An evaluation is one forward pass per batch, the same for every arm.
_MAX_EVALUATION = 1.5
_LEAST_EVALUATION_SECONDS = 0.01
# The fastest of six each, in turn. Half a batch takes 0.5 to 0.6.
_MIN_STEP_OVER_PASSES = 0.75
_MAX_LATE_STATE = 0.01
_LEAST_LATE_BYTES = 1 << 12
# Code that is loaded late (compilers, their workers) takes up to this; hidden state of a net that matters takes more.
_MAX_HIDDEN_BYTES = 128 << 20


def with_equal_conditions_checked(arms: Iterable[MeasuredArm]) -> tuple[MeasuredArm, ...]:
    """Return the arms, each with the checks of equal conditions that it did not pass."""
    arms = tuple(arms)
    groups: defaultdict[tuple[object, ...], list[MeasuredArm]] = defaultdict(list)
    for arm in arms:
        groups[_conditions(arm)].append(arm)
    return tuple(replace(arm, unequal=tuple(_failed(arm, groups[_conditions(arm)]))) for arm in arms)


def _conditions(arm: MeasuredArm) -> tuple[object, ...]:
    """Return what arms must have in common to start alike."""
    return arm.workload_name, repr(arm.workload), arm.ranks, arm.threads, arm.device


def _failed(arm: MeasuredArm, group: Sequence[MeasuredArm]) -> Iterator[FailedCheck]:
    others = [other for other in group if other.name != arm.name or other.optimizer != arm.optimizer]
    usual = [other for other in others if not isinstance(other.optimizer, PluginSettings)]
    checks = (_own_conditions(arm), _equal_conditions(arm, others, usual), _times(arm, usual), _memory(arm, usual))
    for found in checks:
        for name, about, finding in found:
            yield FailedCheck(name, f"{arm.name} on {arm.workload_name} {finding}.", about)


def _own_conditions(arm: MeasuredArm) -> Found:
    """Yield what a run changed that no optimizer has to touch, and passes that are not those of its step."""
    seen = [checks for _, checks in _watched(arm)]
    if made := _first(checks.made_changed for checks in seen):
        yield "initial weights", "losses", f"began with other weights than its seed draws: {', '.join(made[:3])}"
    if steps := _first(checks.evaluations_changed for checks in seen):
        yield (
            "evaluations",
            "losses",
            f"had other parameters behind an evaluation than before it, first at step {steps[0]}",
        )
    if splits := _first(checks.data_changed for checks in seen):
        yield "data", "losses", f"ended with other data than it began with: {', '.join(splits)}"
    batches = [batch for checks in seen for batch in checks.batches]
    passes = max((batch.num_passes or 0 for batch in batches), default=0)
    if passes > 1:
        yield "passes", "losses", f"ran its model {passes} times in a step that trains on one batch"
    if otherwise := [batch.step for batch in batches if batch.fed_otherwise]:
        yield "inputs", "losses", f"fed its model with other inputs than those of the batch, as in step {otherwise[0]}"


def _equal_conditions(arm: MeasuredArm, others: Sequence[MeasuredArm], usual: Sequence[MeasuredArm]) -> Found:
    """Yield where an arm does not start, or go on, as the other arms of its seeds do."""
    for name, read, words in (
        ("initial loss", _initial_loss, "a validation loss before step 1"),
        ("first batch", _first_loss, "a loss of batch 1"),
    ):
        for seed, own, reference in _beside(arm, others, usual, read):
            if abs(own - reference) > _SAME * max(abs(own), abs(reference)):
                finding = f"has {words} of {own:.7g} where the other arms of seed {seed} have {reference:.7g}"
                yield name, "losses", finding
                break
    others, usual = ([one for one in arms if one.budget == arm.budget] for arms in (others, usual))
    for seed, own_order, order in _beside(arm, others, usual, _order):
        if own_order != order:
            yield "order of samples", "losses", f"drew other samples than the other arms of seed {seed}"
            break
    for seed, own_content, content in _beside(arm, others, usual, _content):
        if apart := [step for step, digest in own_content.items() if content.get(step, digest) != digest]:
            yield "batches", "losses", f"saw another batch in step {apart[0]} than the other arms of seed {seed}"
            break


def _times(arm: MeasuredArm, usual: Sequence[MeasuredArm]) -> Found:
    """Yield where a step costs something else in training than where it is timed, or its cost lies elsewhere."""
    own, others = effort_of(arm), [effort for other in usual if (effort := effort_of(other)) is not None]
    if own is not None:
        yield from _of_the_steps(own, others)
    yield from _of_the_clocks(arm, usual)
    beside = _share_in_processes(arm)
    if beside is not None:
        yield "processes", "seconds", f"computes in processes of its own, {beside:.0%} of the CPU time of its steps"
    shares = [
        visit.side_work.cpu_seconds / visit.checks.cpu_seconds
        for visit in arm.visits
        if visit.side_work is not None and visit.checks is not None and visit.checks.cpu_seconds
    ]
    if shares and median(shares) > _MAX_BESIDE_SHARE:
        yield "threads", "seconds", f"computes in other threads, {median(shares):.0%} of the CPU time of its steps"
    if ratio := _step_over_passes(arm):
        finding = f"takes {ratio:.2f} times as long for a step as forward and backward pass of its net take alone"
        yield "passes alone", "seconds", finding
    yield from _of_the_evaluations(arm, usual)


def _of_the_steps(own: Effort, others: Sequence[Effort]) -> Found:
    enough = others and own.num_observed >= _FEW
    bound = _MAX_TRAINED_OVER_TIMED if enough else _MAX_OF_FEW
    ratio = over_expected(own, own.trained_seconds, others, most=True)
    apart = f"{format_seconds(own.trained_seconds)} of CPU time for a step of training and"
    timed = f"{format_seconds(own.timed_seconds)} for a timed one"
    beside = f", {ratio:.2f} times what the built-in arms let expect" if others else ""
    if ratio > bound:
        yield "steps of training", "seconds", f"takes {apart} {timed}{beside}"
    elif own.rare_share > _MAX_RARE_SHARE and ratio > _MIN_RARE_RATIO:
        rare = f"{own.rare_share:.0%} of its CPU time on {own.num_rare} of {own.num_steps} steps"
        longest = f"up to {format_seconds(own.slowest_seconds)} each"
        yield "rare steps", "seconds", f"spends {rare}, {longest}, and no timed block holds as many"
    light = over_expected(own, own.usual_seconds, others, most=False)
    if light < 1 / bound:
        beside = f", {light:.2f} times what the built-in arms let expect" if others else ""
        yield "timed steps", "seconds", f"takes {apart} {timed}{beside}"


def _of_the_clocks(arm: MeasuredArm, usual: Sequence[MeasuredArm]) -> Found:
    """Yield a wait that takes no CPU time: for a disk, a network, a device."""
    ratio = _clock_over_timed(arm)
    others = [other for one in usual if (other := _clock_over_timed(one)) is not None]
    if ratio is None or not others:
        return
    expected = max(1.0, median(others))
    if ratio > _MAX_CLOCK_OVER_TIMED * expected:
        finding = f"takes {ratio:.2f} times as long for a step of training as for a timed one, alone and undisturbed"
        yield "clock of training", "seconds", f"{finding}; the built-in arms {median(others):.2f} times"


def _clock_over_timed(arm: MeasuredArm) -> float | None:
    clock = training_clock(arm)
    return clock.over_timed if clock is not None and clock.clean else None


def _of_the_evaluations(arm: MeasuredArm, usual: Sequence[MeasuredArm]) -> Found:
    own = [seconds for _, checks in _watched(arm) if (seconds := _evaluation_seconds(checks)) is not None]
    others = [
        seconds
        for other in usual
        for _, checks in _watched(other)
        if (seconds := _evaluation_seconds(checks)) is not None
    ]
    if own and others:
        least, reference = min(own), median(others)
        if least > _MAX_EVALUATION * reference and least - reference > _LEAST_EVALUATION_SECONDS:
            apart = (
                f"{format_seconds(least)} of CPU time for an evaluation, the built-in arms {format_seconds(reference)}"
            )
            yield "time of evaluations", "seconds", f"takes {apart}"


def _memory(arm: MeasuredArm, usual: Sequence[MeasuredArm]) -> Found:
    """Yield state that comes late, and memory that is no state."""
    ends = [checks.state_bytes for _, checks in _watched(arm)]
    counted = [record.state_bytes for record in arm.records_of(Memory)]
    if ends and counted:
        late = max(ends) - max(counted)
        if late > max(_MAX_LATE_STATE * max(counted), _LEAST_LATE_BYTES):
            finding = f"has {format_bytes(late)} more state at the end of training than where its memory was counted"
            yield "late state", "bytes", finding
    hidden = _hidden_bytes(arm, usual)
    if hidden is not None and hidden > _MAX_HIDDEN_BYTES:
        finding = f"holds {format_bytes(hidden)} at the end of training that is no state of its own"
        yield "hidden memory", "bytes", finding


def _hidden_bytes(arm: MeasuredArm, usual: Sequence[MeasuredArm]) -> Bytes | None:
    """Return what the process, and those that it started, hold beyond the state, less what the built-in arms do."""
    own = [size for _, checks in _watched(arm) if (size := _beyond_state(checks)) is not None]
    others = [size for one in usual for _, checks in _watched(one) if (size := _beyond_state(checks)) is not None]
    return min(own) - max(others) if own and others else None


def _beyond_state(checks: TrainingChecks) -> Bytes | None:
    if checks.anonymous_bytes is None:
        return None
    children = checks.processes.private_bytes or 0 if checks.processes else 0
    return checks.anonymous_bytes - checks.state_bytes + children


def _share_in_processes(arm: MeasuredArm) -> float | None:
    """Return the CPU time of other processes over that of the steps; None where it is not worth a word."""
    pairs = [(c.processes.cpu_seconds, c.effort.cpu_seconds) for _, c in _watched(arm) if c.processes is not None]
    pairs += [
        (visit.checks.processes.cpu_seconds, visit.checks.cpu_seconds)
        for visit in arm.visits
        if visit.checks is not None and visit.checks.processes is not None
    ]
    beside, own = (sum(seconds) for seconds in zip(*pairs, strict=True)) if pairs else (0.0, 0.0)
    return beside / own if own and beside > max(_MAX_BESIDE_SHARE * own, _LEAST_BESIDE_SECONDS) else None


def _step_over_passes(arm: MeasuredArm) -> float | None:
    """Return the fastest step over the fastest passes, where that is less than it can be; else None."""
    ratios = [
        min(pilot.passes.step_seconds) / min(pilot.passes.passes_seconds)
        for pilot in arm.records_of(WarmUp)
        if pilot.passes is not None
    ]
    return max(ratios) if ratios and max(ratios) < _MIN_STEP_OVER_PASSES else None


def _beside(
    arm: MeasuredArm,
    others: Sequence[MeasuredArm],
    usual: Sequence[MeasuredArm],
    read: Callable[[Convergence], Value | None],
) -> Iterator[tuple[int, Value, Value]]:
    """Yield seed, own value and that of the other arms: what most of the built-in ones have, else most of all."""
    for seed, curve in sorted(_curves(arm).items()):
        own = read(curve)
        # A built-in arm is not held against a user's own: of two that differ, the other one would be to blame as well.
        for arms in (usual, others) if isinstance(arm.optimizer, PluginSettings) else (usual,):
            values = [value for one in arms if (there := _curves(one).get(seed)) and (value := read(there)) is not None]
            if own is not None and values:
                yield seed, own, _most_common(values)
                break


def _most_common(values: Sequence[Value]) -> Value:
    counts = Counter(map(repr, values))
    return max(values, key=lambda value: counts[repr(value)])


def _watched(arm: MeasuredArm) -> Iterator[tuple[int, TrainingChecks]]:
    return ((seed, curve.checks) for seed, curve in sorted(_curves(arm).items()) if curve.checks is not None)


def _curves(arm: MeasuredArm) -> Mapping[int, Convergence]:
    return {seed: run.measured for seed, run in arm.trainings.items() if isinstance(run.measured, Convergence)}


def _initial_loss(curve: Convergence) -> float | None:
    first = curve.evaluations[0] if curve.evaluations else None
    return first.validation_loss if first is not None and first.step == 0 else None


def _first_loss(curve: Convergence) -> float | None:
    return curve.training_losses[0] if curve.training_losses else None


def _order(curve: Convergence) -> tuple[int, str] | None:
    """Return the digest of a run that went to its budget: others have drawn less."""
    whole = curve.final_validation_loss is not None and curve.checks is not None
    return (curve.budget_steps, curve.checks.order_digest) if whole and curve.checks else None


def _content(curve: Convergence) -> dict[int, str] | None:
    return {batch.step: batch.digest for batch in curve.checks.batches} if curve.checks else None


def _evaluation_seconds(checks: TrainingChecks) -> float | None:
    return checks.evaluation_cpu_seconds / checks.num_evaluations if checks.num_evaluations else None


def _first(found: Iterable[Sequence[Value] | None]) -> Sequence[Value]:
    return next((one for one in found if one), ())
