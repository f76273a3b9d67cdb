"""Memory of the device: what torch's allocator took, and what NVML saw."""

from dataclasses import dataclass

from evabench.records.sampling import Sampling
from evabench.settings.strict import Strict
from evabench.units import Bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceMemory(Strict):
    """Peaks over the measured steps. Between them lie the CUDA context and the workspaces of its libraries."""

    allocated_bytes: Bytes | None = None  # by tensors, as torch's allocator counts
    library_bytes: Bytes | None = None  # of `allocated`, no tensor's when the step began: cuBLAS keeps workspaces
    data_bytes: Bytes | None = None  # of `allocated`, the data set, which lies on the device whole; 0: it does not
    reserved_bytes: Bytes | None = None  # by torch's allocator from CUDA
    process_bytes: Bytes | None = None  # of this process, as NVML counts, sampled
    device_bytes: Bytes | None = None  # of all processes on the device, without the driver's own reserve, sampled
    device_bytes_before: Bytes | None = None  # the same before the measured steps
    most_processes: int | None = None  # on the device at once; more than one: `device_bytes` is not ours alone
    sampling: Sampling | None = None
    missing: tuple[str, ...] = ()  # why something is None
