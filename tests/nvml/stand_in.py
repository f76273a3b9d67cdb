"""The real bindings on a library that the tests compile: scenarios in, readings out.

The loader looks for `libnvidia-ml.so.1` where LD_LIBRARY_PATH says at the start of a process, so what asks NVML runs in
a process of its own, started once a worker; a test hands it a function of a test module and a scenario.
"""

import os
import shutil
import subprocess
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

SOURCE = Path(__file__).with_name("stand_in.c")
LIBRARY = "libnvidia-ml.so.1"

GPU_0 = "GPU-aaaa1111-0000-0000-0000-000000000000"
GPU_1 = "GPU-bbbb2222-0000-0000-0000-000000000000"
SLICE_0 = "MIG-cccc3333-0000-0000-0000-000000000000"
SLICE_2 = "MIG-dddd4444-0000-0000-0000-000000000000"

ONE_GPU = {
    "count": 1,
    "gpu.0.uuid": GPU_0,
    "gpu.0.name": "NVIDIA H100",
    "gpu.0.used": 3 << 30,
    "gpu.0.reserved": 500 << 20,
    "gpu.0.total": 80 << 30,
    "gpu.0.utilisation": 42,
    "gpu.0.sm_clock": 1755,
    "gpu.0.memory_clock": 2619,
    "gpu.0.max_sm_clock": 1980,
    "gpu.0.clock_limits": 0,
    "gpu.0.power": 350_500,
    "gpu.0.energy": 7_000_250,
    "gpu.0.compute": "",
    "gpu.0.graphics": "",
    "gpu.0.mps": "",
}
TWO_GPUS = {
    **ONE_GPU,
    "count": 2,
    **{key.replace("gpu.0", "gpu.1"): value for key, value in ONE_GPU.items() if key.startswith("gpu.0")},
    "gpu.1.uuid": GPU_1,
}
# Slice 0 and 2 of GPU 1 are taken, place 1 is free; a slice has neither power nor clocks of its own.
SLICED = {
    **TWO_GPUS,
    "gpu.1.mig": 1,
    "gpu.1.slices": 7,
    **{
        f"gpu.1.slice.{place}.{key}": value
        for place, uuid in ((0, SLICE_0), (2, SLICE_2))
        for key, value in {
            "uuid": uuid,
            "name": "NVIDIA H100 MIG 1g.10gb",
            "used": (1 << 30) + place,
            "total": 10 << 30,
            "compute": "",
            "graphics": "",
            "mps": "",
        }.items()
    },
}


def compile_stand_in(folder, *options):
    """Return a folder with the library, None where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-Wall", *options, "-o", folder / LIBRARY, SOURCE], check=True)
    return folder


class StandIn:
    """A process whose bindings find the library in `folder`."""

    def __init__(self, folder, scenario_file):
        self.scenario_file = scenario_file
        variables = {"LD_LIBRARY_PATH": str(folder), "EVABENCH_STAND_IN": str(scenario_file)}
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        try:
            self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
            self._pool.submit(os.getpid).result()  # started now, with these variables
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value

    def ask(self, body, scenario, *arguments):
        """Return what `body(*arguments)` returns in that process."""
        write_scenario(self.scenario_file, scenario)
        return self._pool.submit(body, *arguments).result()

    def close(self):
        self._pool.shutdown()


def write_scenario(path, scenario):
    """Replace the scenario as a whole: a call never reads half of one."""
    draft = path.with_suffix(".draft")
    draft.write_text("".join(f"{key} {value}\n" for key, value in scenario.items()))
    draft.rename(path)


def change_scenario(scenario):
    """Replace the scenario from inside the process that asks."""
    write_scenario(Path(os.environ["EVABENCH_STAND_IN"]), scenario)
