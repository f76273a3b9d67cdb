"""What each step of a warm refresh cycle does, as the dispatcher sees it: the kind of measurement "counts"."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from evabench.measurement.bench import Bench
from evabench.measurement.cuda_kernels import count_kernels
from evabench.measurement.memory.storages import identity
from evabench.measurement.operator_work import computes, elements_of, flops_of, moved_bytes, name_of, reads_on_host
from evabench.measurement.sent_bytes import count_sent_bytes
from evabench.measurement.timing.clock import Step
from evabench.measurement.trained_steps import at_a_rate_that_holds
from evabench.optimizers.phases import listening
from evabench.records.counts import Counts, PartCounts, StepCounts
from evabench.records.measurement import CountsSettings
from evabench.records.phases import PhaseName


def measure_counts(bench: Bench, settings: CountsSettings) -> Counts:
    """Return the counts of one cycle behind another, which makes the state and all that is made once."""
    counts = at_a_rate_that_holds(bench, lambda steps: _count(bench, steps.step))
    return replace(counts, sent_bytes=count_sent_bytes(bench))


def _count(bench: Bench, step: Step) -> Counts:
    cycle_steps = bench.cycle_steps
    for _ in range(cycle_steps):
        step()
    counter = OperatorCounter(bench.device.type)
    counted = []
    for _ in range(cycle_steps):
        with listening(counter), counter:
            step()
        counted.append(counter.take())
    if bench.device.type == "cuda":
        kernels = count_kernels(step, cycle_steps, bench.device)
        counted = [StepCounts(parts=one.parts, kernels=each) for one, each in zip(counted, kernels, strict=True)]
    kinds: list[StepCounts] = []
    for one in counted:
        if one not in kinds:
            kinds.append(one)
    return Counts(
        steps=tuple(kinds),
        positions=tuple(kinds.index(one) for one in counted),
        without_formula=tuple(sorted(counter.without_formula)),
    )


@dataclass(slots=True)
class _Part:
    """One part of the step that runs."""

    operators: Counter[str] = field(default_factory=Counter)
    flops: int = 0
    moved_bytes: int = 0
    allocations: int = 0
    allocated_bytes: int = 0
    host_reads: int = 0

    def taken(self) -> PartCounts:
        return PartCounts(
            operators=dict(sorted(self.operators.items())),
            flops=self.flops,
            moved_bytes=self.moved_bytes,
            allocations=self.allocations,
            allocated_bytes=self.allocated_bytes,
            host_reads=self.host_reads,
        )


class OperatorCounter(TorchDispatchMode):
    """Counts the operators of a step by the part that they run in; it listens to the marks of the parts too.

    It sits where the memory tracker does: below autograd, above the kernels. What a compiled region does inside is no
    operator here.
    """

    def __init__(self, device_kind: str = "cpu") -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's base class has no annotations
        self.device_kind = device_kind
        self.without_formula: set[str] = set()
        self._running: list[PhaseName] = ["other"]
        self._parts: defaultdict[PhaseName, _Part] = defaultdict(_Part)

    def enter(self, name: PhaseName) -> None:
        """Begin a part inside the present one."""
        self._running.append(name)

    def leave(self) -> None:
        """Return to the part around."""
        self._running.pop()

    def take(self) -> StepCounts:
        """Return what was counted since the last call, and begin anew."""
        parts, self._parts = self._parts, defaultdict(_Part)
        return StepCounts(parts={name: part.taken() for name, part in sorted(parts.items())})

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = kwargs or {}
        results = func(*args, **options)
        part = self._parts[self._running[-1]]
        if reads_on_host(func, (args, options), results, self.device_kind):
            part.host_reads += 1
        if not func.is_view:
            self._count_allocations(part, (args, options), results)
        if computes(func):
            part.operators[name_of(func)] += 1
            flops = flops_of(func, args, options, results)
            if flops is None:
                self.without_formula.add(name_of(func))
                flops = elements_of((args, options), results)
            part.flops += flops
            part.moved_bytes += moved_bytes(func, args, options, results)
        return results

    def _count_allocations(self, part: _Part, arguments: Any, results: Any) -> None:
        known = {identity(leaf) for leaf in tree_leaves(arguments) if isinstance(leaf, Tensor)}
        for leaf in tree_leaves(results):
            if isinstance(leaf, Tensor) and identity(leaf) not in known:
                known.add(identity(leaf))
                part.allocations += 1
                part.allocated_bytes += leaf.untyped_storage().nbytes()
