"""docs/gpu.md: whole suites on an H100, from the runs of `paper-steps` and of the quick start there."""

import json
from collections.abc import Iterator
from statistics import median

import evabench
from evabench.records.memory import Memory
from evabench.records.run import Run
from evabench.records.step_time import StepTime
from evabench.units import format_bytes, format_ratio
from tools.docs_figures.page import Computed, ComputedTable, ComputedWords
from tools.docs_figures.stored import REFERENCE, curve, final_losses, runs_of, trainings

PAGE = "gpu.md"
_STEPS, _QUICK = "paper-steps", "gpu-h100/quickstart"
_ARMS = ("SGD", "Eva", "K-FAC@10")
_NETS = {"autoencoder": "autoencoder, b1000", "ResNet-32": "ResNet-32, b128"}


def computed() -> Iterator[Computed]:
    """Yield the table of the net of the paper, that of the quick start, and the sentences about both."""
    yield ComputedTable(
        page=PAGE,
        heading=(
            "VGG-19, batch 512",
            "step",
            "over SGD",
            "energy per step",
            "allocator's peak",
            "memory of the process (NVML)",
            "curvature state",
        ),
        rows=[_cost(arm) for arm in _ARMS],
    )
    yield ComputedWords(page=PAGE, text=f"amortised, {_ratio('K-FAC@10', 'Eva')} of Eva's")
    losses = {arm: (_median_loss("quickstart", arm), _median_loss(_QUICK, arm)) for arm in _quick_arms()}
    named = "median of the last validation loss, "
    yield ComputedTable(
        page=PAGE,
        heading=("quick start", "CPU", "GPU"),
        rows=[
            (f"{named if arm == 'SGD' else ''}{arm}", f"{cpu:.3f}", f"{gpu:.3f}") for arm, (cpu, gpu) in losses.items()
        ],
    )
    apart = 100 * max(abs(gpu / cpu - 1) for cpu, gpu in losses.values())
    yield ComputedWords(page=PAGE, text=f"the medians by {apart:.1f} %")
    firsts = list(_first_losses())
    yield ComputedWords(
        page=PAGE, text=f"The first training losses of {len(firsts)} runs differ by {max(firsts):.1e} at most"
    )
    for net, words in (("autoencoder", "autoencoder"), ("ResNet-32", "ResNet-32")):
        before, now = _kernels("second", net), _kernels("third", net)
        told = " and ".join(f"{arm} {before[arm]}, {now[arm]}" for arm in ("Eva", "Eva-f"))
        yield ComputedWords(page=PAGE, text=f"{words} {told}")
    kfac = [_kernels("third", net)["K-FAC@10"] for net in _NETS]
    yield ComputedWords(page=PAGE, text=f"K-FAC@10 has {kfac[0]} and {kfac[1]}")


def _cost(arm: str) -> tuple[str, ...]:
    visits = [run.measured for run in runs_of(_STEPS) if run.cell.arm == arm and isinstance(run.measured, StepTime)]
    (memory,) = (one.measured for one in runs_of(_STEPS) if one.cell.arm == arm and isinstance(one.measured, Memory))
    joules = [visit.energy.gpu_joules_per_step for visit in visits if visit.energy]
    assert memory.device is not None
    return (
        arm,
        f"{1e3 * median(visit.amortised_seconds for visit in visits):.1f} ms",
        _ratio(arm, "SGD") if arm != "SGD" else "1",
        f"{median(each for each in joules if each is not None):.1f} J",
        format_bytes(memory.device.allocated_bytes),
        format_bytes(memory.device.process_bytes or 0),
        format_bytes(memory.curvature_state_bytes),
    )


def _ratio(arm: str, base: str) -> str:
    found = evabench.ratios(evabench.load(REFERENCE / _STEPS / "runs.jsonl"), "step", to=base).set_index("arm").loc[arm]
    return format_ratio(found["ratio"], found["low"], found["high"])


def _quick_arms() -> tuple[str, ...]:
    return ("SGD", "AdamW", "Eva", "Eva, vectors off", "K-FAC@10", "Shampoo@10")


def _judged(name: str, arm: str) -> list[Run]:
    """Return the trainings that are judged: at the arm's own rate, by seed."""
    found = [run for run in trainings(name, "mlp", arm) if run.cell.role == "judged"]
    rates = [run.cell.optimizer.lr for run in found]
    own = max(set(rates), key=rates.count)
    return [run for run in found if run.cell.optimizer.lr == own]


def _median_loss(name: str, arm: str) -> float:
    return median(loss for loss in final_losses(_judged(name, arm)) if loss is not None)


def _first_losses() -> Iterator[float]:
    """Yield how far the first losses of the same training are apart, as shares."""
    cpu, gpu = (dict(_first_loss(run) for run in runs_of(name) if _is_training(run)) for name in ("quickstart", _QUICK))
    for which in cpu.keys() & gpu.keys():
        yield abs(gpu[which] / cpu[which] - 1)


def _is_training(run: Run) -> bool:
    return run.cell.measurement.measurement == "convergence"


def _first_loss(run: Run) -> tuple[tuple[str, int, str, float], float]:
    cell = run.cell
    return (cell.arm, run.seed, cell.role, cell.optimizer.lr), curve(run).training_losses[0]


def _kernels(run: str, net: str) -> dict[str, int]:
    """Return the kernels of a plain step beyond those of SGD, by arm."""
    lines = (REFERENCE / "gpu-h100" / run / "gpu-check.jsonl").read_text(encoding="utf-8").splitlines()
    (line,) = (one for one in map(json.loads, lines) if one["check"] == "launches")
    rows = {row["arm"]: row["launches"] for row in line["rows"] if row["net"] == _NETS[net]}
    return {arm: round(count - rows["SGD"]) for arm, count in rows.items()}
