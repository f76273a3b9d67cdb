"""Training curves as TensorBoard's event files, one folder per run, by a writer that needs no torch."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from evabench.errors import EvabenchError
from evabench.export.file_names import file_name

_PREFIX = "evaluations."


def write_tensorboard(frame: pd.DataFrame, folder: Path) -> int:
    """Write the evaluations of each training run (and its training losses where `load` had raw=True); return how many.

    Folders are WORKLOAD/ARM/seed SEED. The time of an event is the training clock, so TensorBoard's "relative" axis
    shows seconds of training. Raises `EvabenchError` where tensorboardX is not installed.
    """
    try:
        from tensorboardX import SummaryWriter
    except ImportError as error:
        raise EvabenchError('TensorBoard files need tensorboardX: pip install "evabench[tensorboard]"') from error
    trained = frame[(frame["kind"] == "convergence") & frame["step"].notna()]
    groups = trained.groupby(["workload", "arm", "seed", "key"], sort=True)
    for (workload, arm, seed, key), run in groups:
        name = f"{file_name(str(workload))}/{file_name(str(arm))}/seed {seed} {str(key)[:6]}"
        with SummaryWriter(logdir=str(folder / name)) as writer:
            _write(writer, run)
    return len(groups)


def _write(writer: object, run: pd.DataFrame) -> None:
    clock = run[run["metric"] == f"{_PREFIX}seconds"].set_index("step")["value"]
    for metric, step, value in _points(run):
        seconds = float(clock.loc[:step].iloc[-1]) if len(clock.loc[:step]) else 0.0
        writer.add_scalar(metric, value, int(step), walltime=seconds)  # type: ignore[attr-defined]


def _points(run: pd.DataFrame) -> Iterable[tuple[str, int, float]]:
    shown = run[(run["metric"] != f"{_PREFIX}seconds") & run["value"].notna()].sort_values(["metric", "step"])
    names = shown["metric"].str.removeprefix(_PREFIX)
    return zip(names, shown["step"], shown["value"], strict=True)
