"""Reference trajectories of the authors' code, replayed: `python -m tests.oracles FILE_OR_FOLDER...`.

A file holds a model, its initial parameters, batches, and what the authors' code made of them in float64. Everything is
read from the file alone. An error is max|x - y| / max|y| of one tensor; the files hold 12 digits.

Every step starts from the source's own parameters, with the momentum and the statistics of our steps before it: a
trajectory that diverges multiplies the rounding of the file by 100 a step, whatever the code that follows it.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from evabench.optimizers import FOOF, KFAC, Eva, EvaF, EvaS

TOLERANCE = 1e-9


class UnsupportedError(Exception):
    """The trajectory needs a layer or an optimizer that evabench does not have; the message names it."""


@dataclass(frozen=True)
class Replay:
    """How far a replayed trajectory is from the file."""

    name: str
    outcome: Literal["PASS", "FAIL", "UNSUPPORTED"]
    error: float | None  # None: not replayed
    where: str  # the place of the largest error, or the reason

    def __str__(self) -> str:
        if self.error is None:
            return f"{self.outcome} {self.name} ({self.where})"
        return f"{self.outcome} {self.name} {self.error:.1e} ({self.where})"


def build_layer(spec: dict[str, Any]) -> nn.Module:
    match spec["type"]:
        case "linear":
            return nn.Linear(spec["in"], spec["out"], bias=spec["bias"])
        case "conv2d":
            return nn.Conv2d(
                spec["in"], spec["out"], spec["kernel"], spec["stride"], spec["padding"], bias=spec["bias"]
            )
        case "flatten":
            return nn.Flatten()
        case "tanh":
            return nn.Tanh()
        case other:
            raise UnsupportedError(f"no layer {other}")


def build_optimizer(method: dict[str, Any], model: nn.Module) -> torch.optim.Optimizer:
    clip = {"no_clip": "none"}.get(method["clip"], method["clip"]) if "clip" in method else None
    common = {name: method[name] for name in ("lr", "momentum", "weight_decay", "damping")}
    if clip == "kl_clip":
        common["kl_clip"] = method["kl_clip"]
    match method["optimizer"]:
        case "eva":
            names = ("statistics_batch", "new_statistic_weight")
            return Eva(
                model, clip=clip, output_gradient="batch_mean", **common, **{name: method[name] for name in names}
            )
        case "eva_f":
            names = ("statistics_batch", "new_statistic_weight")
            return EvaF(model, clip=clip, **common, **{name: method[name] for name in names})
        case "eva_s":  # the other texts of such a file are the only way the source knows
            return EvaS(model, beta2=method["beta2"], nesterov="in_place", **common)
        case "kfac":  # the source averages over positions, and leaves the damping in its running factors
            return KFAC(
                model,
                clip=clip,
                weight_sharing="reduce",
                output_gradient="batch_mean",
                factors_keep_damping=True,
                statistics_batch=method["statistics_batch"],
                new_statistic_weight=method["new_statistic_weight"],
                refresh_every=method["interval"],
                **common,
            )
        case "foof":
            return FOOF(
                model,
                clip=clip,
                weight_sharing="reduce",
                statistics_batch=method["statistics_batch"],
                new_statistic_weight=method["new_statistic_weight"],
                refresh_every=method["interval"],
                **common,
            )
        case other:
            raise UnsupportedError(f"no optimizer {other}")


def replay(path: Path) -> Replay:
    """Return the largest error of a trajectory; raises nothing for what is not supported yet."""
    trajectory = json.loads(path.read_text(encoding="utf-8"))
    name = trajectory["name"]
    try:
        errors = list(_errors(trajectory))
    except UnsupportedError as reason:
        return Replay(name, "UNSUPPORTED", None, str(reason))
    error, where = max(errors, key=lambda pair: pair[0] if pair[0] == pair[0] else float("inf"))
    return Replay(name, "PASS" if error <= TOLERANCE else "FAIL", error, where)


def relative_error(ours: Tensor, theirs: Tensor) -> float:
    """Return max|x - y| / max|y|, or max|x - y| where y is zero."""
    assert ours.shape == theirs.shape, f"{tuple(ours.shape)} is not {tuple(theirs.shape)}"
    largest = theirs.abs().max()
    return float((ours - theirs).abs().max() / (largest if largest > 0 else 1))


def _errors(trajectory: dict[str, Any]) -> Iterator[tuple[float, str]]:
    """Yield every error with its place, step by step."""
    model = nn.Sequential(*map(build_layer, trajectory["model"])).double()
    parameters = list(model.parameters())
    _set(parameters, trajectory["initial_parameters"])
    optimizer = build_optimizer(trajectory["method"], model)
    criterion = {"mse": nn.functional.mse_loss, "cross_entropy": nn.functional.cross_entropy}[trajectory["loss"]]
    for step, (batch, lr) in enumerate(zip(trajectory["batches"], trajectory["learning_rates"], strict=True)):
        target = torch.tensor(batch["y"]) if trajectory["loss"] == "cross_entropy" else _double(batch["y"])
        optimizer.param_groups[0]["lr"] = lr
        optimizer.zero_grad()
        loss = criterion(model(_double(batch["x"])), target)
        loss.backward()
        yield relative_error(loss.detach(), _double(trajectory["losses"][step])), f"loss of step {step}"
        gradients = [parameter.grad.clone() for parameter in parameters]
        optimizer.step()
        directions = [parameter.grad for parameter in parameters]
        values = {"gradients": gradients, "directions": directions, "parameters_after_step": parameters}
        for kind in (kind for kind in values if kind in trajectory):
            for index, (ours, theirs) in enumerate(zip(values[kind], trajectory[kind][step], strict=True)):
                yield relative_error(ours.detach(), _double(theirs)), f"{kind}[{index}] of step {step}"
        _set(parameters, trajectory["parameters_after_step"][step])


@torch.no_grad()
def _set(parameters: list[nn.Parameter], values: list[Any]) -> None:
    for parameter, value in zip(parameters, values, strict=True):
        parameter.copy_(_double(value))


def _double(values: Any) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def find_files(arguments: Iterable[str]) -> list[Path]:
    """Return the files named, and the `.json` files of the folders named."""
    paths = map(Path, arguments)
    return [file for path in paths for file in (sorted(path.glob("*.json")) if path.is_dir() else [path])]


def main(arguments: list[str]) -> int:
    """Print one line per file; return 1 if any is off by more than the tolerance, 2 if there is none."""
    files = find_files(arguments)
    if not files:
        print("usage: python -m tests.oracles FILE_OR_FOLDER...", file=sys.stderr)
        return 2
    replays = [replay(file) for file in files]
    for each in replays:
        print(each)
    return int(any(each.outcome == "FAIL" for each in replays))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
