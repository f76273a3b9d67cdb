"""Two callables timed as adjacent pairs, with the rules of the gate: what the pytest fixture `paired_benchmark` is.

A pair is a block of calls of each, back to back, in alternating order; a block takes 5 ms at least. One process makes
all pairs, so the layout of memory is not drawn anew: the confirmation swaps the order of each pair, and no folder.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

from evabench.gate.pairs import Pair, base_comes_first
from evabench.gate.rules import LOOKS, STEP, Margins, Seen, Test, confirms, look_at

_BLOCK_SECONDS = 5e-3
Call = Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedAnswer:
    """What the pairs of one test have said."""

    name: str
    answer: str  # "regression", "not confirmed", "pass", "inconclusive", "too noisy"
    seen: Seen

    @property
    def sentence(self) -> str:
        """Return "test_x: pass: head / base is 1.01 [0.99, 1.03] after 9 pairs"."""
        seen = self.seen
        bounds = f"[{1 + seen.lower:.3f}, {1 + seen.upper:.3f}]"
        return (
            f"{self.name}: {self.answer}: head / base is {1 + seen.slowdown:.3f} {bounds} after {seen.num_pairs} pairs"
        )


@dataclass(slots=True, kw_only=True)
class PairedBenchmark:
    """The fixture: call it with base and head."""

    name: str
    tell: Callable[[PairedAnswer], None]
    fail: Callable[[str], None]  # called with what is wrong, where a regression was confirmed
    now: Callable[[], float] = perf_counter
    answers: list[PairedAnswer] = field(default_factory=list)

    def __call__(self, base: Call, head: Call, *, margin: float = STEP.least) -> PairedAnswer:
        """Time both, tell the answer and return it. A confirmed regression fails."""
        test = Test(margins=Margins(least=margin, most=max(margin, STEP.most)), num_tests=1, floor_seconds=0.0)
        num_calls = self._calls_per_block(base, head)
        pairs: list[Pair] = []
        seen = None
        for look in LOOKS:
            while len(pairs) < look.num_pairs:
                pairs.append(self._pair(base, head, len(pairs) + 1, num_calls))
            seen = look_at(pairs, look, test)
            if seen.answer != "undecided":
                break
        assert seen is not None
        answer = PairedAnswer(name=self.name, answer=self._answer(base, head, seen, num_calls), seen=seen)
        self.answers.append(answer)
        self.tell(answer)
        if answer.answer == "regression":
            self.fail(answer.sentence)
        return answer

    def _answer(self, base: Call, head: Call, seen: Seen, num_calls: int) -> str:
        if seen.answer == "pass":
            return "pass"
        if seen.answer == "undecided":
            return "too noisy" if seen.too_noisy else "inconclusive"
        # The other order first: what the first place does to a side changes its sign.
        fresh = [self._pair(base, head, number + 1, num_calls) for number in range(1, seen.num_pairs + 1)]
        return "regression" if confirms(fresh, seen) else "not confirmed"

    def _pair(self, base: Call, head: Call, number: int, num_calls: int) -> Pair:
        first = base_comes_first(number)
        if first:
            base_seconds, head_seconds = self._block(base, num_calls), self._block(head, num_calls)
        else:
            head_seconds, base_seconds = self._block(head, num_calls), self._block(base, num_calls)
        return Pair(number=number, base_first=first, base_seconds=base_seconds, head_seconds=head_seconds)

    def _block(self, call: Call, num_calls: int) -> float:
        """Return seconds per call."""
        start = self.now()
        for _ in range(num_calls):
            call()
        return (self.now() - start) / num_calls

    def _calls_per_block(self, base: Call, head: Call) -> int:
        """Return how many calls of the quicker one take long enough; both are warm then."""
        self._block(base, 1), self._block(head, 1)
        num_calls = 1
        while num_calls * min(self._block(base, num_calls), self._block(head, num_calls)) < _BLOCK_SECONDS:
            num_calls *= 2
        return num_calls
