"""The largest batch whose step fits a device, projected: the peak of live tensors on fake ones against free memory."""

from collections.abc import Callable

import torch

from evabench.errors import DataError
from evabench.measurement.bench import Bench
from evabench.records.probe import BatchProjection
from evabench.settings.plugin_workloads import PluginWorkloadSettings
from evabench.units import Bytes
from evabench.worker.build import build_workload
from evabench.worker.fake_step import peak_on_fake_tensors
from evabench.workloads.placed import placed

# Of the free memory: the rest is for what the allocator rounds up (0.3 to 2 % on an H100) and operators' workspaces.
_FOR_TENSORS = 0.95
_MOST_LOOKS = 10
_CLOSE = 0.01  # a batch is found to so much of itself
_MOST = 2**30  # what fits in such numbers does not depend on the batch


def project_batch(bench: Bench) -> BatchProjection | None:
    """Return the projection; None where the device does not tell its memory, or nothing can be had on fake tensors."""
    free = _free_bytes(bench)
    if free is None:
        return None
    for plain in (False, True):

        def peak_of(size: int, plain: bool = plain) -> Bytes:
            return peak_on_fake_tensors(bench.cell, plain=plain, batch_size=size)

        try:
            found = find_largest_batch(peak_of, bench.cell.workload.batch, int(free * _FOR_TENSORS))
        except Exception:  # whatever a foreign optimizer does on fake tensors: SGD takes its place
            continue
        return BatchProjection(largest=found, free_bytes=free, plain_optimizer=plain)
    return None


def find_largest_batch(peak_of: Callable[[int], Bytes], batch: int, bound: Bytes) -> int | None:
    """Return the largest batch whose peak is at most `bound`, to 1 %; 0: not one sample. None: any batch fits.

    A peak is that of several moments of a step, each of them linear in the batch, and so convex. The line through two
    batches that do not fit is below it for smaller ones: where it meets the bound is the answer, or nearer to it.
    """
    peaks = {size: peak_of(size) for size in (batch, 2 * batch)}
    while True:
        fits = max((size for size, peak in peaks.items() if peak <= bound), default=0)
        above = sorted(size for size, peak in peaks.items() if peak > bound)
        if not above and fits >= _MOST:
            return None
        is_close = above and above[0] - fits <= max(1, _CLOSE * fits)
        if is_close or len(peaks) == _MOST_LOOKS:
            return fits
        guess = _guess(peaks, bound, fits, above)
        peaks[guess] = peak_of(guess)


def _guess(peaks: dict[int, Bytes], bound: Bytes, fits: int, above: list[int]) -> int:
    """Return where a line meets the bound: through the first two sizes that are too large, else the last two known."""
    if len(above) == 1:
        return 2 * above[0]
    one, other = above[:2] or sorted(peaks)[-2:]
    slope = (peaks[other] - peaks[one]) / (other - one)
    if not above:
        return min(_MOST, max(int(one + (bound - peaks[one]) / slope), other + 1)) if slope > 0 else 16 * other
    return max(fits + 1, min(int(one - (peaks[one] - bound) / slope) if slope > 0 else 1, one - 1))


def _free_bytes(bench: Bench) -> Bytes | None:
    """Return what a device has for a step, without the data set where that would lie on it whole."""
    device, settings = bench.device, bench.cell.workload
    tell = None if device.type == "cpu" else getattr(torch.get_device_module(device), "mem_get_info", None)
    if tell is None or isinstance(settings, PluginWorkloadSettings):
        return None
    free, _ = tell(device)
    try:
        resident = placed(build_workload(settings, 0), device).resident_bytes
    except DataError:
        resident = 0
    return max(0, int(free) - resident)
