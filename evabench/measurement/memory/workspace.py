"""What operators allocate inside themselves, from the allocator's own events.

LAPACK, oneDNN and im2col take memory that no tensor ever shows. torch's profiler records every block that the CPU
allocator gives out or takes back; the operators that the dispatcher sees are marked in the same record, and what was
alive inside one beyond what was alive before or after it is its workspace.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, NamedTuple

from torch.autograd.profiler import record_function
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode

from evabench.units import Bytes

_OPERATOR = "evabench operator "
_BLOCK = "[memory]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The allocator's peak over a step, and the operator that it was reached in."""

    peak_over_start_bytes: Bytes  # allocated at the peak beyond what was allocated when the step began
    workspace_bytes: Bytes  # of that operator; 0 where the peak was reached outside, or an operator took none
    operator: str | None  # "aten.convolution_backward.default"; None: the peak was reached outside
    operator_number: int | None = None  # of that operator, in the order of the step
    kept_bytes: Bytes = 0  # taken in `before` and the step together, and not given back


class Block(NamedTuple):
    """What the allocator gave out or took back."""

    nanoseconds: int
    num_bytes: Bytes  # negative: given back


class Span(NamedTuple):
    """An operator, or a whole step, in nanoseconds."""

    start: int
    end: int
    name: str


def profile_workspace(before: Callable[[], None], step: Callable[[], object]) -> Workspace:
    """Run `before` and `step` twice each, and return the allocator's peak in the second step.

    Twice, because the profiler does not see a block given back that was taken before it started.
    """
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        for number in range(2):
            with record_function(f"{_OPERATOR}round {number}"):
                before()
                with record_function(f"{_OPERATOR}step {number}"), _MarkOperators():  # type: ignore[no-untyped-call]
                    step()
    events = [event for event in profiler.profiler.kineto_results.events() if _is_ours(event)]
    spans = [
        Span(event.start_ns(), event.end_ns(), event.name().removeprefix(_OPERATOR))
        for event in events
        if event.name() != _BLOCK
    ]
    blocks = [Block(event.start_ns(), event.nbytes()) for event in events if event.name() == _BLOCK]
    by_name = {span.name: span for span in spans}
    operators = [span for span in spans if not span.name.startswith(("step ", "round "))]
    found = workspace_of(blocks, operators, by_name["step 1"])
    return replace(found, kept_bytes=sum(block.num_bytes for block in _within(blocks, by_name["round 1"])))


def workspace_of(blocks: list[Block], operators: list[Span], step: Span) -> Workspace:
    """Return what the events of one step say. `operators` do not overlap, and are numbered from its first."""
    operators = sorted(operator for operator in operators if step.start <= operator.start <= step.end)
    inside = sorted(_within(blocks, step))
    if not inside:
        return Workspace(peak_over_start_bytes=0, workspace_bytes=0, operator=None)
    times = [block.nanoseconds for block in inside]
    levels = list(accumulate(block.num_bytes for block in inside))
    peak = max(range(len(levels)), key=levels.__getitem__)
    height = max(0, levels[peak])
    for number, operator in enumerate(operators):
        if operator.start <= times[peak] <= operator.end:
            before = max((i for i, time in enumerate(times) if time < operator.start), default=None)
            after = max(i for i, time in enumerate(times) if time <= operator.end)
            kept = max(0 if before is None else levels[before], levels[after])
            return Workspace(
                peak_over_start_bytes=height,
                workspace_bytes=max(0, height - kept),
                operator=operator.name,
                operator_number=number,
            )
    return Workspace(peak_over_start_bytes=height, workspace_bytes=0, operator=None)


def _within(blocks: list[Block], span: Span) -> list[Block]:
    return [block for block in blocks if span.start <= block.nanoseconds <= span.end]


def _is_ours(event: Any) -> bool:
    name: str = event.name()
    return name == _BLOCK or name.startswith(_OPERATOR)


class _MarkOperators(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Marks what the dispatcher sees, below autograd and above the kernels' own calls."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        with record_function(f"{_OPERATOR}{func}"):
            return func(*args, **(kwargs or {}))
