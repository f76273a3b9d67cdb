"""Both ends of a step where the loss may be scaled: half precision loses what is small in a gradient."""

from torch import Tensor
from torch.amp import GradScaler
from torch.optim import Optimizer


def go_backward(loss: Tensor, scaler: GradScaler | None) -> None:
    """Go backward from a loss, scaled where there is a scaler."""
    scaled = loss if scaler is None else scaler.scale(loss)
    scaled.backward()  # type: ignore[no-untyped-call]  # torch's annotation is incomplete


def make_step(optimizer: Optimizer, scaler: GradScaler | None) -> None:
    """Have the optimizer make its step, which a scaler leaves out where a gradient is not finite."""
    if scaler is None:
        optimizer.step()
        return
    scaler.step(optimizer)
    scaler.update()
