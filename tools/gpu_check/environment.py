"""The machine, and whether NVML and CUDA mean the same device and the same process (points 3 and 4)."""

import os
import platform
import subprocess

import pynvml
import torch

from evabench.nvml.devices import slices_of
from evabench.nvml.library import Nvml
from evabench.nvml.processes import own_bytes, processes_of, read_own_pids
from evabench.nvml.visible import visible_devices
from tools.gpu_check.answer import Answer, yes_if
from tools.gpu_check.bench import Bench, clocks_of, precision

_MARK_BYTES = 512 << 20  # allocated to see whose figure grows


def machine(bench: Bench) -> Answer:
    """Say what this is."""
    with Nvml() as nvml:
        gpu = bench.gpu(nvml)
        values = {
            "python": platform.python_version(),
            "system": platform.platform(),
            "cpus": os.cpu_count(),
            "torch": torch.__version__,
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
            "gpu": None if gpu is None else gpu.title,
            "driver": nvml.read("driver", pynvml.nvmlSystemGetDriverVersion) if nvml.available else None,
            "total_bytes": None if gpu is None else gpu.total_bytes(),
            "max_sm_hertz": None if gpu is None else gpu.max_sm_clock(),
            "idle": clocks_of(gpu),
            "precision": precision(),
            "nvidia_smi": _nvidia_smi(),
            "missing": nvml.missing,
        }
    if not bench.dry:
        values["properties"] = str(torch.cuda.get_device_properties(bench.device))
    return Answer(
        answer=yes_if(gpu is not None, "no"),
        figure=f"{values['gpu']}, driver {values['driver']}, torch {values['torch']}, {values['cpus']} CPUs",
        rule="NVML finds the device that torch trains on",
        rows=tuple({"what": name, "found": str(value)} for name, value in values.items()),
        values=values,
    )


def which_device(bench: Bench) -> Answer:
    """Compare the device by torch with NVML's, by UUID and by its place on the bus, and the parent's way to find it."""
    properties = None if bench.dry else torch.cuda.get_device_properties(bench.device)
    uuid = None if properties is None else str(properties.uuid)
    with Nvml() as nvml:
        gpu = bench.gpu(nvml)
        by_environment = visible_devices(nvml, os.environ)
        bus = None if gpu is None else nvml.read("PCI", lambda: pynvml.nvmlDeviceGetPciInfo(gpu.handle).busId)
        values = {
            "uuid_torch": uuid,
            "uuid_nvml": None if gpu is None else gpu.uuid,
            "uuids_by_environment": None if by_environment is None else [one.uuid for one in by_environment],
            "bus_torch": getattr(properties, "pci_bus_id", None),
            "bus_nvml": bus,
            "slices": None if gpu is None else [one.uuid for one in slices_of(gpu)],
            "missing": nvml.missing,
        }
    same = gpu is not None and bool(by_environment) and by_environment[0].uuid == gpu.uuid
    sliced = "MIG is off, so that its part of the question is not tried" if not values["slices"] else "MIG is on"
    return Answer(
        answer=yes_if(same, "no"),
        figure=f"torch says {uuid}, NVML {values['uuid_nvml']}, the environment {values['uuids_by_environment']}; "
        f"bus {values['bus_torch']} and {bus}; {sliced}",
        rule="torch's UUID, NVML's, and the parent's reading of CUDA_VISIBLE_DEVICES name one device",
        rows=tuple({"what": name, "found": str(value)} for name, value in values.items()),
        values=values,
    )


def own_process(bench: Bench) -> Answer:
    """Find this process in NVML's list: by its number, and by the memory that grows when it allocates."""
    own = read_own_pids()
    with Nvml() as nvml:
        gpu = bench.gpu(nvml)
        if gpu is None:
            return Answer(answer="no", figure="; ".join(nvml.missing) or "NVML knows no GPU", rule="there is a GPU")
        torch.ones(1, device=bench.device)  # the context is there
        before = {process.pid: process.used_bytes for process in processes_of(gpu) or ()}
        device_before = gpu.used_bytes()
        held = torch.empty(_MARK_BYTES if not bench.dry else 1, dtype=torch.uint8, device=bench.device)
        bench.synchronize()
        listed = processes_of(gpu)
        after = {process.pid: process.used_bytes for process in listed or ()}
        device_after = gpu.used_bytes()
        found = None if listed is None else own_bytes(gpu, own, listed)
        missing = nvml.missing
    grown = [pid for pid, used in after.items() if used is not None and used - (before.get(pid) or 0) >= held.nbytes]
    values = {
        "pid": os.getpid(),
        "pid_namespace": os.readlink("/proc/self/ns/pid"),
        "own_pids": sorted(own.pids),
        "reason": own.reason,
        "listed_before": {str(pid): used for pid, used in before.items()},
        "listed_after": {str(pid): used for pid, used in after.items()},
        "grown": grown,
        "own_bytes": found,
        "device_growth_bytes": None if None in (device_before, device_after) else device_after - device_before,
        "missing": missing,
    }
    translated = bool(own.reason) and os.getpid() in grown
    words = "; the driver translates process numbers into this namespace" if translated else ""
    return Answer(
        answer=yes_if(found is not None, "differs" if grown else "no"),
        figure=f"this process is {sorted(own.pids) or os.getpid()}, NVML lists {sorted(after)}, of which {grown} grew "
        f"with {held.nbytes >> 20} MiB; its memory is {found}{words}. {own.reason or ''}",
        rule="NVML lists this process under one of its own numbers, with its memory",
        rows=tuple({"what": name, "found": str(value)} for name, value in values.items()),
        values=values,
    )


def mps(bench: Bench) -> Answer:
    """Say that nobody tried MPS."""
    return Answer(answer="not tried", figure="no MPS server was started", rule="needs an MPS control daemon")


def _nvidia_smi() -> str | None:
    try:
        done = subprocess.run(["nvidia-smi"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout
