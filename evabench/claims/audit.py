"""Was it a fair fight: ten questions about a baseline, each answered yes, no or unknown from stored runs alone.

A verdict whose audit has a "no" says so in its headline. Unknown is no accusation: nobody stored what would tell.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evabench.claims.implementation import Answer, implementation
from evabench.findings.arm import MeasuredArm
from evabench.findings.public import PublicRatio
from evabench.findings.tuning import TunedArm
from evabench.findings.watched import watched
from evabench.records.checks import TrainingChecks
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.points import values_of

ANSWERS: tuple[Answer, ...] = ("yes", "no", "unknown")
_SECOND_ORDER = ("eva", "kfac", "shampoo", "mfac")
SECOND_ORDER = "second-order at all?"
_NO_TRIALS = "no trials of both arms are known"


@dataclass(frozen=True, slots=True)
class Question:
    """One question and its answer."""

    text: str  # "trials equal?"
    answer: Answer
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """All questions about one comparison."""

    workload: str
    arm: str
    base: str
    questions: tuple[Question, ...]

    def answered(self, answer: Answer) -> tuple[Question, ...]:
        """Return the questions with this answer."""
        return tuple(one for one in self.questions if one.answer == answer)


def audit(
    arm: MeasuredArm,
    base: MeasuredArm,
    arms: Sequence[MeasuredArm],
    trials: Sequence[TunedArm],
    public: Sequence[PublicRatio] = (),
) -> Audit:
    """Return the audit of a base; `arms` are all of its workload, `trials` those of the tuning there.

    `public`: ours beside public implementations, wherever they were timed.
    """
    by_name = {one.name: one for one in trials}
    return Audit(
        workload=arm.workload_name,
        arm=arm.name,
        base=base.name,
        questions=(
            *_fight(arm, base, by_name.get(arm.name), by_name.get(base.name)),
            Question("refresh interval tuned?", *_refresh(base, arms, by_name.get(base.name))),
            Question("implementation within 10 % of the fastest public one?", *implementation(base.optimizer, public)),
            Question(SECOND_ORDER, *_second_order(arm)),
            Question("above the trivial level?", *_trivial(arm, base)),
        ),
    )


def _fight(
    arm: MeasuredArm, base: MeasuredArm, arms_trials: TunedArm | None, bases_trials: TunedArm | None
) -> Iterator[Question]:
    yield Question("trials equal?", *_trials(arms_trials, bases_trials))
    yield Question("best value inside its range?", *_edges(bases_trials))
    yield Question("schedule fully decayed?", *_schedule(base))
    yield Question("exploration equal?", *_exploration(arm, base, arms_trials, bases_trials))
    yield Question("weight decay tuned?", *_tuned(base, bases_trials, "weight_decay"))
    yield Question("same batch and data?", *_data(arm, base))


def _trials(arms: TunedArm | None, bases: TunedArm | None) -> tuple[Answer, str]:
    if arms is None or bases is None:
        return "unknown", _NO_TRIALS
    same = (len(arms.points), arms.seeds, arms.budget) == (len(bases.points), bases.seeds, bases.budget)
    told = " against ".join(
        f"{one.num_trials} ({len(one.points)} points of {one.budget.steps} steps)" for one in (arms, bases)
    )
    return "yes" if same else "no", told


def _edges(bases: TunedArm | None) -> tuple[Answer, str]:
    if bases is None or bases.best is None:
        return "unknown", "no trials of the base are known"
    if bases.edges:
        told = ", ".join(f"{one.name} = {one.value:g} is the {one.side} that was tried" for one in bases.edges)
        return "no", f"{told}: a better one may lie beyond it"
    return "yes", ", ".join(f"{name} = {value}" for name, value in bases.best.values.items())


def _schedule(base: MeasuredArm) -> tuple[Answer, str]:
    if base.budget is None:
        return "unknown", "the base was not trained"
    schedule = base.budget.schedule
    if schedule == "constant":
        return "no", "its rate is constant: with one that decays it may end better"
    return "yes", f'"{schedule}", at the end of its own budget of {base.budget.steps} steps'


def _exploration(
    arm: MeasuredArm, base: MeasuredArm, arms: TunedArm | None, bases: TunedArm | None
) -> tuple[Answer, str]:
    """Whether the settings of both come from their trials: whoever looked elsewhere, looked more often."""
    if arms is None or bases is None:
        return "unknown", _NO_TRIALS
    elsewhere = [
        one.name
        for one, trials in ((arm, arms), (base, bases))
        if all(point.settings != one.optimizer for point in trials.points)
    ]
    if elsewhere:
        return "no", f"the settings of {' and '.join(elsewhere)} are none of their trials'"
    return "yes", "both are points of their trials"


def _tuned(base: MeasuredArm, bases: TunedArm | None, name: str) -> tuple[Answer, str]:
    if name not in values_of(base.optimizer):
        return "unknown", "the base has no setting of that name"
    if bases is None:
        return "unknown", "no trials of the base are known"
    return ("yes", "it varies in the trials") if name in bases.varied else ("no", "one value in all trials")


def _data(arm: MeasuredArm, base: MeasuredArm) -> tuple[Answer, str]:
    if arm.workload != base.workload:
        return "no", "the two workloads differ"
    theirs = dict(watched(base))
    both = [(_content(checks), _content(theirs[seed])) for seed, checks in watched(arm) if seed in theirs]
    if not both:
        return "unknown", "nobody stored which batches the two drew"
    apart = sum(any(one[step] != other[step] for step in one.keys() & other.keys()) for one, other in both)
    if apart:
        return "no", f"their batches differ in {apart} of {len(both)} seeds"
    return "yes", f"one workload, and the same batches in {len(both)} seeds, as far as they were looked at"


def _content(checks: TrainingChecks) -> dict[int, str]:
    return {batch.step: batch.digest for batch in checks.batches}


def _refresh(base: MeasuredArm, arms: Sequence[MeasuredArm], bases: TunedArm | None) -> tuple[Answer, str]:
    is_plugin = isinstance(base.optimizer, PluginSettings)
    if base.optimizer.cycle_steps == 1 if is_plugin else "refresh_every" not in values_of(base.optimizer):
        return "yes", "the base has no refresh"
    if bases is not None and "refresh_every" in bases.varied:
        return "yes", "it varies in the trials"
    intervals = sorted({one.optimizer.cycle_steps for one in arms if _method(one) == _method(base)})
    if len(intervals) > 1:
        return "yes", f"arms of every {' and '.join(map(str, intervals))} steps"
    if is_plugin and bases is not None and bases.varied:
        return "unknown", f"which option of a plug-in its interval is, nobody says: {', '.join(bases.varied)} vary"
    return "no", f"every {base.optimizer.cycle_steps} steps alone"


def _method(arm: MeasuredArm) -> str:
    """Return what two arms of one method have in common: of plug-ins the class."""
    settings = arm.optimizer
    return settings.name if isinstance(settings, PluginSettings) else settings.optimizer


def _second_order(arm: MeasuredArm) -> tuple[Answer, str]:
    if arm.optimizer.family not in _SECOND_ORDER:
        return "unknown", f"{arm.name} does not say that it is"
    followed = arm.followed
    if followed is None or followed.followed == "update":
        return "unknown", f"no directions of {arm.name} were probed"
    told = f"{arm.name}: cosine with the gradient {followed.cosine:.4f}"
    return ("no", told) if followed.is_gradient else ("yes", told)


def _trivial(arm: MeasuredArm, base: MeasuredArm) -> tuple[Answer, str]:
    stuck = [
        f"{one.name} learned nothing in {len(one.learned_nothing)} of {len(one.trainings)} seeds"
        for one in (arm, base)
        if one.learned_nothing
    ]
    if stuck:
        return "no", " and ".join(stuck)
    if not any(curve.trivial_levels for one in (arm, base) for curve in one.curves):
        return "unknown", "no trivial level is stored"
    return "yes", "in every seed"
