"""Which kernels torch takes on this CPU: what counters of operators and peaks depend on, beside torch's version."""

import os
import platform
from pathlib import Path

# In torch's order (aten/src/ATen/native/DispatchStub.cpp): the first whose flags are all there.
_CAPABILITIES = {
    "AVX512": frozenset({"avx512vl", "avx512bw", "avx512dq", "fma"}),
    "AVX2": frozenset({"avx2", "fma"}),
}


def cpu_capability(root: Path = Path("/")) -> str:
    """Return torch's word for the vector instructions that its kernels use here, with the architecture."""
    asked = os.environ.get("ATEN_CPU_CAPABILITY")
    if asked:
        return f"{platform.machine()} {asked.upper()}"
    flags = _flags(root / "proc/cpuinfo")
    found = next((name for name, needed in _CAPABILITIES.items() if needed <= flags), "DEFAULT")
    return f"{platform.machine()} {found}"


def _flags(cpuinfo: Path) -> frozenset[str]:
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return frozenset()
    words = (line.partition(":")[2].split() for line in lines if line.startswith("flags"))
    return frozenset(next(words, ()))
