"""Training of every optimizer on a GPU as on the CPU: in double, single and mixed precision, compiled, and unwatched.

Weights and batches are drawn on the CPU and moved, so that only the arithmetic differs.
"""

import copy
import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

from evabench.optimizers import FOOF, KFAC, MFAC, Eva, EvaF, EvaS, Shampoo

Build = Callable[[nn.Module], Optimizer]

NUM_STEPS = 20
_ROWS, _CLASSES = 32, 5
BUILDS: dict[str, Build] = {
    "SGD": lambda model: SGD(model.parameters(), lr=0.05, momentum=0.9),
    "AdamW": lambda model: AdamW(model.parameters(), lr=1e-3),
    "Eva": lambda model: Eva(model, lr=0.05),
    "Eva-f": lambda model: EvaF(model, lr=0.01),
    "Eva-s": lambda model: EvaS(model, lr=0.05),
    "K-FAC": lambda model: KFAC(model, lr=0.05, refresh_every=2),
    "K-FAC, eigh": lambda model: KFAC(model, lr=0.05, refresh_every=4, factorisation="eigh"),
    "FOOF": lambda model: FOOF(model, lr=0.05, refresh_every=2, factorisation="eigh"),
    "FOOF, cholesky": lambda model: FOOF(model, lr=0.05, refresh_every=2, factorisation="cholesky"),
    "Shampoo": lambda model: Shampoo(model, lr=0.05, refresh_every=2),
    "Shampoo, newton": lambda model: Shampoo(model, lr=0.05, refresh_every=2, root_method="newton"),
    "M-FAC": lambda model: MFAC(model, lr=0.01, damping=0.1, num_gradients=8),
}
CYCLES = {"K-FAC": 2, "K-FAC, eigh": 4, "FOOF": 2, "FOOF, cholesky": 2, "Shampoo": 2, "Shampoo, newton": 2}


class Trained(NamedTuple):
    """A model behind its training, on the CPU and in double precision."""

    parameters: list[Tensor]
    losses: list[float]
    moved: bool
    num_skipped: int  # steps that a loss scaler skipped


def net(kind: str) -> nn.Module:
    """Return a small net with its initial weights."""
    torch.manual_seed(0)
    if kind == "mlp":
        return nn.Sequential(nn.Linear(24, 40), nn.Tanh(), nn.Linear(40, 24), nn.Tanh(), nn.Linear(24, _CLASSES))
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 12, 3, stride=2, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(12, 12, 3, padding=1, groups=2),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(12, _CLASSES),
    )


NETS = ("mlp", "conv")


def batch(kind: str, index: int) -> tuple[Tensor, Tensor]:
    """Return the batch of a step, on the CPU and in double precision."""
    generator = torch.Generator().manual_seed(index)
    shape = (_ROWS, 24) if kind == "mlp" else (_ROWS, 3, 8, 8)
    inputs = torch.randn(shape, generator=generator, dtype=torch.float64)
    return inputs, torch.randint(_CLASSES, (_ROWS,), generator=generator)


def trained(
    kind: str,
    arm: str | Build,
    device: torch.device,
    dtype: torch.dtype = torch.float64,
    *,
    autocast: torch.dtype | None = None,
    num_steps: int = NUM_STEPS,
) -> Trained:
    """Train a net and return what came of it; float16 under autocast has a loss scaler."""
    build = BUILDS[arm] if isinstance(arm, str) else arm
    model = net(kind).to(device, dtype)
    before = copy.deepcopy(list(model.parameters()))
    optimizer = build(model)
    scaler = torch.amp.GradScaler(device.type, enabled=autocast is torch.float16)
    losses, scales = [], [scaler.get_scale()]
    for index in range(num_steps):
        inputs, targets = batch(kind, index)
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device.type, dtype=autocast, enabled=autocast is not None):
            loss = nn.functional.cross_entropy(model(inputs.to(device, dtype)), targets.to(device))
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        losses.append(float(loss.detach()))
        scales.append(scaler.get_scale())
    after = list(model.parameters())
    return Trained(
        parameters=[parameter.detach().cpu().double() for parameter in after],
        losses=losses,
        moved=all(not torch.equal(one, other) for one, other in zip(before, after, strict=True)),
        num_skipped=sum(later < earlier for earlier, later in pairwise(scales)),
    )


def difference(one: Trained, other: Trained) -> float:
    """Return the largest difference of a parameter, as a share of the largest entry of its tensor."""
    return max(
        float((a - b).abs().max() / b.abs().max()) for a, b in zip(one.parameters, other.parameters, strict=True)
    )


def steps_that_wait(kind: str, arm: str, device: torch.device) -> tuple[list[bool], list[str]]:
    """Return of each position of a warm refresh cycle whether the host waited for the device in it, and where.

    A step is zero_grad, forward and backward pass, and `step()`, with its batch at hand.
    """
    model = net(kind).to(device, torch.float32)
    optimizer = BUILDS[arm](model)
    inputs, targets = batch(kind, 0)
    inputs, targets = inputs.to(device, torch.float32), targets.to(device)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(model(inputs), targets).backward()
        optimizer.step()

    cycle = CYCLES.get(arm, 1)
    for _ in range(2 * cycle):
        step()
    found = [_waits_in(step) for _ in range(cycle)]
    return [bool(places) for places in found], [place for places in found for place in places]


def _waits_in(step: Callable[[], None]) -> list[str]:
    """Return where a step waits: torch's own warnings; on a CPU none."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        watch_waits("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            step()
    finally:
        if torch.cuda.is_available():
            watch_waits("default")
    return [_place(one) for one in caught if "synchroniz" in str(one.message)]


def watch_waits(mode: str) -> None:
    """Say what torch does where the host waits: "default" (nothing), "warn" or "error".

    The first call in a process warns that the mode is a prototype, which is no news of the step.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Synchronization debug mode is a prototype")
        torch.cuda.set_sync_debug_mode(mode)


def _place(warning: Any) -> str:
    return f"{warning.filename.rpartition('evabench/')[2] or warning.filename}:{warning.lineno}"


def fails_where_the_host_waits(kind: str, arm: str, device: torch.device) -> str | None:
    """Return what torch says where a plain step waits, under the mode in which that is an error; None: nothing."""
    model = net(kind).to(device, torch.float32)
    optimizer = BUILDS[arm](model)
    inputs, targets = batch(kind, 0)
    inputs, targets = inputs.to(device, torch.float32), targets.to(device)
    cycle = CYCLES.get(arm, 1)
    for index in range(4 * cycle):
        plain = index >= 2 * cycle and (cycle == 1 or index % cycle)
        watch_waits("error" if plain else "default")
        try:
            optimizer.zero_grad(set_to_none=True)
            nn.functional.cross_entropy(model(inputs), targets).backward()
            optimizer.step()
        except RuntimeError as error:
            return str(error).partition("\n")[0]
        finally:
            watch_waits("default")
    return None
