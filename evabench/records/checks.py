"""What was watched beside a training run or a visit, so that equal conditions are checked and not assumed.

Raw observations; `findings/equal_conditions.py` says what they come to. All of it is read while the training clock
stands still, but for the CPU time of each step.
"""

from dataclasses import dataclass

from evabench.settings.strict import Strict
from evabench.units import Bytes, Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowStep(Strict):
    """A step that took more CPU time than others at its position in the refresh cycle."""

    step: int
    cpu_seconds: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEffort(Strict):
    """CPU time of the steps of a training run, of all threads, without the wait for batches."""

    num_steps: int  # without the first one
    cpu_seconds: Seconds  # of these
    first_cpu_seconds: Seconds | None  # of the first step, which makes state, caches and compiled code; None: no step
    position_cpu_seconds: tuple[Seconds, ...]  # median at each position of the refresh cycle
    slowest: tuple[SlowStep, ...]  # those furthest above the median of their position, the furthest first


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildProcesses(Strict):
    """Processes that a run has started, without those that read its input."""

    num_processes: int  # the most at one look
    private_bytes: Bytes | None  # that they share with nobody, the most at one look; None: the system does not say
    cpu_seconds: Seconds  # of all of them, also of those that have ended


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedBatch(Strict):
    """One step that was looked at more closely."""

    step: int
    digest: str  # of the content of the batch
    num_passes: int | None  # forward passes of this model, or of one like it; None: its optimizer calls them itself
    fed_otherwise: bool  # whether a pass of the model was fed with anything but the inputs of the batch
    loss: float | None = None  # as the step returned it; None: not finite, or nobody looked
    untouched_loss: float | None = None  # of the same weights in a net that no optimizer has seen; None: there is none
    num_layer_calls: int | None = None  # forward passes of modules with parameters of their own, of whatever net
    untouched_layer_calls: int | None = None  # the same in one pass of a net that no optimizer has seen


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedAgain(Strict):
    """One evaluation, and the same of the same weights in a net that no optimizer has seen."""

    step: int
    loss: float | None  # None: not finite
    untouched_loss: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingChecks(Strict):
    """What was watched beside a training run. `None`: not measured here."""

    made_changed: tuple[str, ...] | None  # parameters that were no longer as the seed draws them before the first step
    order_digest: str  # of the samples' numbers and the seeds of their augmentation, at every step
    batches: tuple[WatchedBatch, ...]  # the first, the last, and some that the seed draws
    evaluations_changed: tuple[int, ...]  # steps behind which an evaluation left parameters other than it found them
    data_changed: tuple[str, ...]  # splits that are not at the end what they were at the start
    effort: StepEffort
    evaluation_cpu_seconds: Seconds  # of all threads, in all evaluations
    num_evaluations: int
    processes: ChildProcesses | None
    state_bytes: Bytes  # at the end, as a run of kind memory counts it
    anonymous_bytes: Bytes | None  # resident memory of the process at the end that lies in no file
    high_water_bytes: Bytes | None = None  # the most resident memory that the process ever had
    device_bytes: Bytes | None = None  # of tensors that are alive on the device at the end
    judged_again: tuple[JudgedAgain, ...] = ()  # the last evaluation, and some that the seed draws
    layer_calls_when_made: int | None = None  # as of a batch, until net and optimizer were made
    switches_changed: tuple[str, ...] | None = None  # of the process, with both values


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitChecks(Strict):
    """What was watched beside the timed blocks of a visit."""

    cpu_seconds: Seconds  # of all threads
    processes: ChildProcesses | None  # None: the system does not say
    switches_changed: tuple[str, ...] | None = None  # as of a training run


@dataclass(frozen=True, slots=True, kw_only=True)
class PassesAlone(Strict):
    """Forward and backward pass of a fresh net, between training steps of the arm: a step holds both.

    CPU time on a CPU, the clock of the device elsewhere.
    """

    passes_seconds: tuple[Seconds, ...]
    step_seconds: tuple[Seconds, ...]
