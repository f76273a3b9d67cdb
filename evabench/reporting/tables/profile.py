"""Where the time of a step goes, operator by operator, and why one arm's step takes longer than another's."""

from collections.abc import Mapping

from evabench.records.phases import PHASES, PhaseName
from evabench.records.profile import OperatorTime, Profile
from evabench.reporting.tables.table import NOT_MEASURED, Table

Key = tuple[PhaseName, str]


def overhead_sentence(arm: str, profile: Profile) -> str:
    """Return what the profiler cost, and what that means for the numbers."""
    return (
        f"{arm}: a profiled step took {profile.profiled_over_plain:.2f}x an unprofiled one "
        f"({profile.num_steps} steps in whole refresh cycles). A diagnosis: no verdict and no report uses it."
    )


def operators_table(arm: str, profile: Profile, top: int) -> Table:
    """Return the most expensive operators of each phase, the most expensive phase first."""
    by_phase: dict[PhaseName, list[tuple[float, OperatorTime]]] = {}
    for row in profile.operators:
        by_phase.setdefault(row.phase, []).append((profile.seconds_per_step(row), row))
    phases = sorted(by_phase.values(), key=_sum, reverse=True)
    whole = sum(map(_sum, phases))
    return Table(
        title=f"{arm}: the most expensive operators of each phase",
        headings=("phase", "operator", "self time, ms per step", "calls per step", "share"),
        text=frozenset({"operator"}),
        rows=tuple(
            (
                row.phase,
                _short(row.name),
                _milliseconds(seconds),
                f"{profile.calls_per_step(row):.4g}",
                f"{seconds / whole:.1%}",
            )
            for rows in phases
            for seconds, row in sorted(rows, key=lambda one: -one[0])[:top]
        ),
        note=(
            "Under the profiler, refreshes at their share: medians by position of the cycle. Self time: without the "
            "operators that it calls. Outside operators: Python, and waiting."
        ),
    )


def phases_difference_table(arm: str, profile: Profile, base: str, base_profile: Profile) -> Table:
    """Return the phases of both arms without the profiler, by how much longer the arm's take."""
    mine, theirs = profile.phases.amortised, base_profile.phases.amortised
    names = sorted(
        (name for name in PHASES if name in mine or name in theirs), key=lambda name: _less(name, mine, theirs)
    )
    rows = [(name, mine.get(name), theirs.get(name)) for name in names]
    total = ("whole step", sum(mine.values()), sum(theirs.values()))
    return Table(
        title=f"Why {arm} is slower than {base}, or faster: phases",
        headings=("phase", f"{arm}, ms", f"{base}, ms", "difference, ms"),
        rows=tuple(
            (name, _milliseconds(one), _milliseconds(other), f"{1e3 * ((one or 0.0) - (other or 0.0)):+.3f}")
            for name, one, other in (*rows, total)
        ),
        note="Without the profiler, refreshes at their share: medians by position of the cycle.",
    )


def operators_difference_table(arm: str, profile: Profile, base: str, base_profile: Profile, top: int) -> Table:
    """Return the operators whose self time differs most, the greatest excess of the arm first."""
    mine, theirs = _by_key(profile), _by_key(base_profile)
    keys = sorted(mine.keys() | theirs.keys(), key=lambda key: -abs(_excess(key, mine, theirs)))[:top]
    return Table(
        title=f"Why {arm} is slower than {base}, or faster: operators",
        headings=("phase", "operator", f"{arm}, ms", f"{base}, ms", "difference, ms", "calls per step"),
        text=frozenset({"operator"}),
        rows=tuple(
            (
                key[0],
                _short(key[1]),
                _milliseconds(mine[key][0] if key in mine else None),
                _milliseconds(theirs[key][0] if key in theirs else None),
                f"{1e3 * _excess(key, mine, theirs):+.3f}",
                f"{_calls(key, mine)} / {_calls(key, theirs)}",
            )
            for key in sorted(keys, key=lambda key: -_excess(key, mine, theirs))
        ),
        note=f"Self time per step under the profiler; the {top} greatest differences. Calls: of {arm} / of {base}.",
    )


def _sum(rows: list[tuple[float, OperatorTime]]) -> float:
    return sum(seconds for seconds, _ in rows)


def _short(operator: str) -> str:
    return operator.replace("autograd::engine::evaluate_function: ", "autograd: ")


def _less(name: PhaseName, mine: Mapping[PhaseName, float], theirs: Mapping[PhaseName, float]) -> float:
    return theirs.get(name, 0.0) - mine.get(name, 0.0)


def _by_key(profile: Profile) -> dict[Key, tuple[float, float]]:
    """Return phase and name -> self seconds and calls, per step."""
    return {
        (row.phase, row.name): (profile.seconds_per_step(row), profile.calls_per_step(row)) for row in profile.operators
    }


def _excess(key: Key, mine: Mapping[Key, tuple[float, float]], theirs: Mapping[Key, tuple[float, float]]) -> float:
    return mine.get(key, (0.0, 0.0))[0] - theirs.get(key, (0.0, 0.0))[0]


def _calls(key: Key, found: Mapping[Key, tuple[float, float]]) -> str:
    return f"{found[key][1]:.4g}" if key in found else NOT_MEASURED


def _milliseconds(seconds: float | None) -> str:
    return NOT_MEASURED if seconds is None else f"{1e3 * seconds:.3f}"
