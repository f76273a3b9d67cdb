"""docs/findings.md: peaks and curvature states of ResNets, from the runs of suite `memory`."""

from collections.abc import Iterator

from evabench.records.memory import Memory
from tools.docs_figures.page import Computed, ComputedTable, ComputedWords
from tools.docs_figures.stored import runs_of

_TEN = 10  # from here on without decimals
_ARMS = ("SGD", "AdamW", "Eva", "Eva-f", "Eva-s", "K-FAC", "Shampoo")
_LARGEST = "resnet110-batch32"
_NETS = {
    "ResNet-20, 32": "resnet20-batch32",
    "ResNet-56, 32": "resnet56-batch32",
    "ResNet-110, 32": "resnet110-batch32",
    "ResNet-110, 64": "resnet110-batch64",
    "ResNet-110, 128": "resnet110-batch128",
}


def computed() -> Iterator[Computed]:
    """Yield the table."""
    rows = []
    for title, net in _NETS.items():
        base = _memory(net, "SGD").peak.total
        others = (f"x{_memory(net, arm).peak.total / base:.3f}" for arm in _ARMS[1:])
        rows.append((title, f"{base / 2**20:.1f} MiB", *others))
    rows.append(("curvature state, ResNet-110", *(_state("resnet110-batch32", arm) for arm in _ARMS)))
    rows.append(("... at a quarter of the channels", *(_state("resnet110-batch32 x0.25", arm) for arm in _ARMS)))
    yield ComputedTable(page="findings.md", heading=("net, batch", *_ARMS), rows=rows)
    for text in _sentences():
        yield ComputedWords(page="findings.md", text=text)


def _sentences() -> Iterator[str]:
    kfac, eva = (_memory(_LARGEST, arm).peak.total / 2**20 for arm in ("K-FAC", "Eva"))
    yield f"{kfac - eva:.0f} MiB of {kfac:.0f} MiB at batch 32"
    most = max(_memory(net, "Eva").peak.total / _memory(net, "SGD").peak.total for net in _NETS.values()) - 1
    yield f"Eva costs at most {100 * most:.1f} % over SGD"
    shampoo = _memory(_LARGEST, "Shampoo")
    share = shampoo.curvature_state_bytes / shampoo.peak.total
    yield f"whole curvature state is {shampoo.curvature_state_bytes / 2**20:.0f} MiB, {100 * share:.0f} % of the peak"
    full, quarter = (
        _memory(net, "Eva").curvature_state_bytes / _memory(net, "Shampoo").curvature_state_bytes
        for net in (_LARGEST, f"{_LARGEST} x0.25")
    )
    yield f"Eva's is {100 * full:.0f} % of Shampoo's at full width, {100 * quarter:.0f} % at a quarter"


def _memory(net: str, arm: str) -> Memory:
    (run,) = (run for run in runs_of("memory") if (run.cell.workload_name, run.cell.arm) == (net, arm))
    assert isinstance(run.measured, Memory)
    return run.measured


def _state(net: str, arm: str) -> str:
    """Return two digits at least: "3.0 MiB", "156 KiB"."""
    size = _memory(net, arm).curvature_state_bytes
    value, unit = (size / 2**20, "MiB") if size >= 2**20 else (size / 2**10, "KiB")
    return "0" if not size else f"{value:.0f} {unit}" if value >= _TEN else f"{value:.1f} {unit}"
