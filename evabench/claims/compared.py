"""The arms of one workload that a claim compares, and why it must not be judged on them."""

from collections.abc import Sequence
from dataclasses import dataclass

from evabench.claims.baseline import weak_base
from evabench.claims.collapse import MAX_SHARE
from evabench.claims.judgement import Remark
from evabench.claims.subject import decides_nothing, refuted_beside, refuted_by, supports_nothing
from evabench.findings.arm import MeasuredArm
from evabench.findings.goals import Goal
from evabench.findings.public import PublicRatio
from evabench.findings.rate_checks import RateCheck
from evabench.findings.tuning import TunedArm
from evabench.settings.claims import TO_TARGET, TRAINED, Claim
from evabench.settings.methods import method_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedWorkload:
    """The arms of one workload, and its target."""

    name: str
    arms: tuple[MeasuredArm, ...]
    target: Goal | None
    reference: str | None  # the arm whose own runs set the target; None: the target is a number of the suite
    without_target: frozenset[str] = frozenset()  # arms whose runs carry no target, or another one
    trials: tuple[TunedArm, ...] = ()  # of the tuning on this workload
    rate_checks: tuple[RateCheck, ...] = ()
    public: tuple[PublicRatio, ...] = ()  # ours beside public implementations
    better_reference: str | None = None  # what is better than the arm that set the target; None: nothing

    def speaking_for(self, claim: Claim) -> list[MeasuredArm]:
        """Return the arms of the claim's own optimizer that count."""
        arms = [one for one in self._subjects(claim) if claim.is_arm(one.name, method_of(one.optimizer))]
        return [one for one in arms if one.name == one.optimizer.title] or arms

    def against(self, claim: Claim) -> list[MeasuredArm]:
        """Return the arms of the claim's baselines."""
        return [one for one in self._subjects(claim) if claim.is_base(one.name, method_of(one.optimizer))]

    def _subjects(self, claim: Claim) -> list[MeasuredArm]:
        """Return the arms that are what their tag says: an ablation arm speaks only where it is named."""
        return [one for one in self.arms if claim.local or not one.is_ablation]

    def best_tuned(self, bases: Sequence[MeasuredArm]) -> MeasuredArm | None:
        """Return the baseline that ended lowest in the trials of the tuning; None where they do not tell of each."""
        tried = {(one.name, repr(point.settings)): point.median_loss for one in self.trials for point in one.points}
        losses = [tried.get((base.name, repr(base.optimizer))) for base in bases]
        told = [(loss, base.name, base) for loss, base in zip(losses, bases, strict=True) if loss is not None]
        return min(told)[2] if told and len(told) == len(bases) else None

    def refusal(self, claim: Claim) -> str | None:
        """Return why no times to a target must be compared here, as a sentence; None where nothing is in the way."""
        arms, bases = self.speaking_for(claim), self.against(claim)
        if not arms or not bases:
            return None
        compared = dict.fromkeys(one.name for one in (*arms, *bases))
        without = [arm for arm in compared if arm in self.without_target]
        if without:
            return (
                f"On {self.name} nothing is compared: the runs of {', '.join(without)} carry no target, or another "
                "than the one that is set now. `evabench run` makes them anew."
            )
        if self.better_reference:
            return f"On {self.name} nothing is compared: {self.better_reference}."
        return None

    def doubt(self, claim: Claim, arm: MeasuredArm, base: MeasuredArm) -> str | None:
        """Return why a comparison of these two decides nothing; None where nothing speaks against it.

        The arm that set the target misses it too often itself, the base is none, or a paper's arm does not train.
        """
        if claim.quantity in TO_TARGET and self.target is not None:
            for one in self.arms:
                share = one.missed_share(self.target)
                if one.name == self.reference and share > MAX_SHARE:
                    return f"has a target that {one.name}, which set it, missed in {share:.0%} of its seeds"
        weak = self._weak_base(claim, base)
        if weak and not _may_refute(claim):
            return weak
        return decides_nothing(claim, arm, self.rate_checks, self.trials, self.target)

    def doubt_of_support(self, claim: Claim, arm: MeasuredArm, base: MeasuredArm) -> str | None:
        """Return why a comparison of these two supports nothing, and may refute; None where it may support too."""
        weak = supports_nothing(claim, arm, self.rate_checks, self.target)
        return weak or (self._weak_base(claim, base) if _may_refute(claim) else None)

    def refuted_by(self, claim: Claim, arm: MeasuredArm, base: MeasuredArm) -> Remark | None:
        """Return what a refutation says first where a side of it was not at its best; None where both were."""
        weak = refuted_by(claim, arm, self.rate_checks, self.trials, self.target)
        return weak or (refuted_beside(base) if _may_refute(claim) else None)

    def _weak_base(self, claim: Claim, base: MeasuredArm) -> str | None:
        weak = weak_base(claim, base, self.rate_checks, self.target)
        return f"has a weak base: {base.name} {weak}" if weak else None


def _may_refute(claim: Claim) -> bool:
    """Return whether a weak base leaves a refutation: what a step costs is much the same at whatever settings."""
    return claim.local and claim.quantity not in TRAINED
