"""What the trials of a suite's tuning have chosen: a table, sentences, and lines for the suite's file."""

import json
from collections.abc import Iterator, Mapping, Sequence

from evabench.findings.tuning import Edge, Point, TunedArm
from evabench.reporting.tables.table import NOT_MEASURED, Table, counted
from evabench.settings.choices import Value
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.plugin_optimizers import PluginSettings


def tuning_table(arms: Sequence[TunedArm], in_suite: Mapping[str, OptimizerSettings]) -> Table | None:
    """Return the best point of each arm; None without trials."""
    if not arms:
        return None
    seeds = max(len(arm.seeds) for arm in arms)
    return Table(
        title="Tuning",
        headings=("arm", "points", "failed", "best point", "val. loss", "at an edge", "in the suite"),
        rows=tuple(_row(arm, in_suite.get(arm.name)) for arm in arms),
        note=(
            f"Every point was trained to {counted(arms[0].budget.steps, 'step')} with {counted(seeds, 'tuning seed')}, "
            "which are never judged. A point failed where a trial did not get to its end, or ended no lower than it "
            "began. Of the others the lowest median of the final validation loss is the best."
        ),
        text=frozenset({"best point", "at an edge", "in the suite"}),
    )


def tuning_sentences(
    arms: Sequence[TunedArm], in_suite: Mapping[str, OptimizerSettings], num_missing: int = 0
) -> Iterator[str]:
    """Yield what has to be known about the choice: what is missing, edges, and the best first-order arm."""
    if num_missing:
        yield f"{counted(num_missing, 'trial')} of the tuning are missing: the choice is one of a part."
    counts = {arm.name: len(arm.points) for arm in arms}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{name} {count}" for name, count in counts.items())
        yield f"The arms had different numbers of points: {told}. Equal chances need equal numbers."
    for arm in arms:
        if arm.best is None:
            yield f"{arm.name} has no point without a failed trial: nothing is chosen for it."
        for edge in arm.edges:
            yield _at_edge(arm, edge)
    if any(arm.edges for arm in arms):
        yield (
            "A best value at the edge of its range may have a better one beyond it. Widen the ranges of all arms by as "
            "many points each, then tune again: what is stored is kept."
        )
    first_order = [arm for arm in arms if arm.best and arm.best.settings.family == "first-order"]
    if first_order:
        best = min(first_order, key=_best_loss)
        yield f'The best first-order arm is {best.name}: a target that runs set takes reference = "{best.name}".'
    differing = [arm.name for arm in arms if arm.best and in_suite.get(arm.name) != arm.best.settings]
    if differing:
        yield f"The suite has other settings than the trials have chosen for: {', '.join(differing)}."


def chosen_lines(arms: Sequence[TunedArm]) -> Iterator[str]:
    """Yield the lines of TOML that give each arm the settings of its best point."""
    for arm in arms:
        if arm.best is None:
            continue
        yield f"[arms.{_key(arm.name)}]"
        if isinstance(arm.best.settings, PluginSettings):
            options = ", ".join(f"{_key(name)} = {_toml(value)}" for name, value in arm.best.settings.options.items())
            yield f"options = {{ {options} }}"
        else:
            yield from (f"{name} = {_toml(value)}" for name, value in arm.best.values.items())
        yield ""


def _row(arm: TunedArm, in_suite: OptimizerSettings | None) -> tuple[str, ...]:
    best = arm.best
    return (
        arm.name,
        str(len(arm.points)),
        str(arm.num_failed),
        _label(best) if best else "none",
        f"{best.median_loss:.4g}" if best else NOT_MEASURED,
        ", ".join(f"{edge.name} ({edge.side})" for edge in arm.edges) or ("no" if best else NOT_MEASURED),
        NOT_MEASURED if best is None else "yes" if best.settings == in_suite else "no",
    )


def _label(point: Point) -> str:
    return ", ".join(f"{name} {_words(value)}" for name, value in point.values.items())


def _words(value: Value) -> str:
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _at_edge(arm: TunedArm, edge: Edge) -> str:
    return f"{arm.name}: the best {edge.name}, {edge.value:g}, is the {edge.side} that was tried."


def _best_loss(arm: TunedArm) -> float:
    assert arm.best
    return arm.best.median_loss


def _key(name: str) -> str:
    """Return a key of TOML, quoted where it has to be."""
    plain = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if plain else json.dumps(name, ensure_ascii=False)


def _toml(value: Value) -> str:
    return json.dumps(value, ensure_ascii=False)
