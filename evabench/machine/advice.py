"""What disturbs measurements on this machine, why that is likely so, and what to change. Data; the words are whole."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from evabench.findings.disturbances import disturbances
from evabench.machine.state import MachineState
from evabench.records.conditions import Conditions
from evabench.stats.noise import MAX_MARGIN, Noise

_MANY_PAIRS = 30

# What was read of the conditions, the likely cause, and the way out, where `disturbances` calls it a disturbance.
_OF_CONDITIONS = {
    "foreign_cpu_share": (
        "Something else is running here.",
        "Stop it (`top` names it), or measure when it is done.",
    ),
    "steal_share": (
        "The host of this virtual machine is overbooked.",
        "Use a machine with CPUs of its own, or take more pairs.",
    ),
    "throttled_seconds": (
        "The container's CPU limit is less than what runs in it.",
        "Raise the limit to at least one CPU more than the runs have threads.",
    ),
    "swapped_bytes": (
        "Memory does not suffice for everything that runs.",
        "Free memory, or use a smaller batch.",
    ),
    "thermal_events": (
        "The CPUs get too hot at this load.",
        "Let them cool down, improve the cooling, or fix a lower clock.",
    ),
    "gpus": (
        "The GPU is shared, too hot, or short of power.",
        "End the other processes (`nvidia-smi` names them), or see to cooling and power.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Three sentences."""

    problem: str
    cause: str
    remedy: str


def advise(state: MachineState, conditions: Conditions | None, noise: Noise | None) -> tuple[Advice, ...]:
    """Return what to change, the noise first; empty where nothing was found. None: not measured."""
    about_noise = () if noise is None else tuple(_of_noise(noise))
    seen = () if conditions is None else tuple(_of_conditions(conditions))
    return (*about_noise, *seen, *_of_state(state, watched=conditions is not None))


def _of_noise(noise: Noise) -> Iterator[Advice]:
    if noise.is_too_noisy:
        yield Advice(
            problem=f"This machine is too noisy now to gate a change: twice the noise of an estimate from 19 pairs is "
            f"{2 * noise.estimate_sd:.1%}, and {MAX_MARGIN:.0%} is allowed.",
            cause="Equal visits differ too much; what is listed below, if anything, is the likely reason.",
            remedy="Change that and run `evabench doctor` again. Until then only slow-downs above "
            f"{noise.smallest_visible:.0%} would show.",
        )
    elif noise.at_most.is_too_noisy:
        yield Advice(
            problem=f"{noise.num_pairs} pairs cannot tell whether this machine is quiet enough to gate a change.",
            cause=f"The pair sd may be as high as {noise.at_most.pair_sd:.1%}, and few pairs know it roughly.",
            remedy=f"Run `evabench doctor --pairs {_MANY_PAIRS}`.",
        )


def _of_conditions(conditions: Conditions) -> Iterator[Advice]:
    nothing = {field.name: None for field in fields(Conditions) if field.name in _OF_CONDITIONS}
    for name, (cause, remedy) in _OF_CONDITIONS.items():
        # Without the limits, which say on what the noise was measured: of a doctor, every GPU is asked.
        alone = replace(conditions, limits=None, **(nothing | {name: getattr(conditions, name)}))
        for sentence in disturbances(alone):
            yield Advice(problem=sentence, cause=cause, remedy=remedy)


def _of_state(state: MachineState, *, watched: bool) -> Iterator[Advice]:
    if not watched and state.load_1min > 0.5 * state.limits.usable_cpus:
        yield Advice(
            problem=f"The load of the last minute is {state.load_1min:.1f} on {state.limits.usable_cpus} CPUs.",
            cause="Something else is running here, or was until a moment ago.",
            remedy="Wait until it is done, or stop it (`top` names it).",
        )
    if state.governors is not None and set(state.governors) - {"performance"}:
        yield Advice(
            problem=f"The clocks of the CPUs follow the governor {', '.join(state.governors)}.",
            cause="The system saves power, so a step's time depends on what ran before it.",
            remedy="Set it for the measurement: sudo cpupower frequency-set -g performance.",
        )
    if state.limits.cpus is not None and state.limits.cpus < 2:
        yield Advice(
            problem=f"The control group may use {state.limits.cpus:g} CPUs.",
            cause="A container or a batch system limits it, and stops everything in it when the share is used up.",
            remedy="Ask for 2 CPUs or more: one for the run, one for everything else.",
        )
    if state.limits.usable_cpus < 2:
        yield Advice(
            problem="There is one CPU.",
            cause="The run shares it with evabench itself and with the system.",
            remedy="Use a machine with 2 CPUs or more.",
        )
