"""Ours beside public implementations of the same method, from stored runs of the suite `peers`.

Of an adapter and ours the steps of the same sweeps are compared, where both run the same mathematics and refresh at the
same interval. The nets are those of `peers`, and the host may be another one: both are said beside every figure.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from evabench.findings.arm import MeasuredArm
from evabench.findings.arms import measured_arms
from evabench.records.measurement import StepTimeSettings
from evabench.records.run import Run
from evabench.settings.choices import Value
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.points import values_of
from evabench.stats.paired import PairedRatio
from evabench.units import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """What an adapter runs, in our settings."""

    optimizer: str
    settings: Mapping[str, Value]  # of ours, with which the mathematics is the same


# docs/baselines.md says of each how far the mathematics agrees. What ours has no counterpart of is in no row.
PUBLIC: Mapping[str, Method] = {
    "evabench.peers.asdl:KFAC": Method(optimizer="kfac", settings={"weight_sharing": "expand", "clip": "none"}),
    "evabench.peers.pytorch_optimizer:shampoo": Method(
        optimizer="shampoo", settings={"grafting": "none", "momentum": 0.0, "merge_up_to": 1}
    ),
    "evabench.peers.pytorch_optimizer:scalable_shampoo": Method(
        optimizer="shampoo", settings={"grafting": "sgd", "block_size": 512}
    ),
}
PUBLIC_OPTIMIZERS = frozenset(method.optimizer for method in PUBLIC.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicRatio:
    """A step of ours over that of a public implementation, on one net."""

    optimizer: str  # the tag of ours
    refresh_every: int
    workload_name: str
    ours: str
    public: str
    ours_over_public: PairedRatio
    public_seconds: Seconds
    host: str  # the processor, for people
    is_here: bool  # whether this is the host that is asked about
    is_current: bool  # whether the present code made the runs

    @property
    def where(self) -> str:
        """Return where the figure was measured: "on this host"."""
        place = "on this host" if self.is_here else f"on another host ({self.host})"
        return place if self.is_current else f"{place}, by older code"


def public_ratios(runs: Iterable[Run], *, host_id: str, is_current: Callable[[Run], bool]) -> tuple[PublicRatio, ...]:
    """Return every ratio that runs of `peers` have, whatever hosts and codes made them; none pools two."""
    hosts: dict[str, dict[tuple[str, str], list[Run]]] = {}
    for run in runs:
        if isinstance(run.cell.measurement, StepTimeSettings):
            arms = hosts.setdefault(run.host.id, {})
            arms.setdefault((run.cell.workload_name, run.cell.arm), []).append(run)
    return tuple(
        ratio
        for host, arms in hosts.items()
        for ratio in _ratios({place: _of_last_code(each) for place, each in arms.items()}, host == host_id, is_current)
    )


def fastest_public(found: Iterable[PublicRatio], settings: OptimizerSettings) -> tuple[PublicRatio, ...]:
    """Return ours over the fastest public implementation of a method at its interval, net by net, from one place.

    Runs of this host go before others, and on one host those of the present code.
    """
    alike = [one for one in found if (one.optimizer, one.refresh_every) == (settings.optimizer, settings.cycle_steps)]
    best = min(((not one.is_here, not one.is_current, one.host) for one in alike), default=None)
    there = [one for one in alike if (not one.is_here, not one.is_current, one.host) == best]
    fastest: dict[str, PublicRatio] = {}
    for one in sorted(there, key=lambda one: one.public_seconds):
        fastest.setdefault(one.workload_name, one)
    return tuple(fastest[name] for name in sorted(fastest))


def _of_last_code(runs: list[Run]) -> list[Run]:
    return [run for run in runs if run.code.identity == runs[-1].code.identity]


def _ratios(
    runs: Mapping[tuple[str, str], list[Run]], is_here: bool, is_current: Callable[[Run], bool]
) -> Iterator[PublicRatio]:
    arms = measured_arms(run for each in runs.values() for run in each)
    for theirs in arms:
        method = PUBLIC.get(theirs.optimizer.name) if isinstance(theirs.optimizer, PluginSettings) else None
        ours = next((one for one in arms if method and _is_ours(one, theirs, method)), None)
        ratio = ours.step_over(theirs) if ours else None
        seconds = theirs.amortised_seconds
        if method is None or ours is None or ratio is None or seconds is None:
            continue
        pair = [runs[one.workload_name, one.name][-1] for one in (ours, theirs)]
        yield PublicRatio(
            optimizer=method.optimizer,
            refresh_every=theirs.optimizer.cycle_steps,
            workload_name=theirs.workload_name,
            ours=ours.name,
            public=theirs.name,
            ours_over_public=ratio,
            public_seconds=seconds,
            host=pair[0].host.cpu,
            is_here=is_here,
            is_current=all(map(is_current, pair)),
        )


def _is_ours(arm: MeasuredArm, theirs: MeasuredArm, method: Method) -> bool:
    """Return whether an arm is ours of a method, on the net and at the interval of a public one."""
    where = (arm.workload_name, arm.workload, arm.optimizer.cycle_steps)
    same_place = where == (theirs.workload_name, theirs.workload, theirs.optimizer.cycle_steps)
    if not same_place or arm.optimizer.optimizer != method.optimizer:
        return False
    values = values_of(arm.optimizer)
    return all(values.get(name) == value for name, value in method.settings.items())
