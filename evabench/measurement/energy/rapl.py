"""Energy of the CPU packages and their memory, where the kernel shows RAPL counters (Intel, AMD)."""

from dataclasses import dataclass, field
from pathlib import Path

from evabench.records.energy import EnergySource
from evabench.units import Joules, Watts

POWERCAP = Path("/sys/class/powercap")


@dataclass(slots=True)
class _Domain:
    folder: Path
    range_microjoules: int  # the counter starts again at 0 behind it
    last: int = 0
    total: int = 0

    def advance(self) -> int:
        """Return the microjoules since the first reading; right as long as it is read once per wrap (minutes)."""
        now = _number(self.folder / "energy_uj")
        # 0 is a value as well: a range of 9 has ten of them.
        self.total += now - self.last if now >= self.last else now - self.last + self.range_microjoules + 1
        self.last = now
        return self.total


@dataclass(slots=True)
class RaplEnergy:
    """All packages, with their DRAM where it is counted apart.

    "core" and "uncore" are parts of a package and "psys" holds the packages: adding them would count twice.
    """

    root: Path = POWERCAP
    source: EnergySource = field(default="cpu", init=False)
    missing: tuple[str, ...] = field(default=(), init=False)
    _domains: list[_Domain] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        """Find the counters, or the reason why there are none."""
        try:
            for folder in sorted(self.root.glob("intel-rapl:*")):  # the name on AMD too
                name = (folder / "name").read_text().strip()
                if name.startswith("package-") or name == "dram":
                    limit = _number(folder / "max_energy_range_uj")
                    self._domains.append(_Domain(folder, limit, last=_number(folder / "energy_uj")))
        except OSError as error:
            self._lose(error)
        if not self._domains and not self.missing:
            self.missing = (f"CPU energy: {self.root} has no RAPL counters: a virtual machine, or a CPU without them.",)

    @property
    def readable(self) -> bool:
        """Return whether there is anything to read."""
        return bool(self._domains)

    def joules(self) -> Joules | None:
        """Return the energy since this object was made."""
        try:
            return sum(domain.advance() for domain in self._domains) / 1e6 if self._domains else None
        except OSError as error:
            self._lose(error)
            return None

    def power(self) -> Watts | None:
        """Return None: RAPL counts energy and nothing else."""
        return None

    def _lose(self, error: OSError) -> None:
        way_out = "; the administrator may allow it: chmod a+r energy_uj" if isinstance(error, PermissionError) else ""
        self.missing = (f"CPU energy: {error.filename} cannot be read: {error.strerror}{way_out}.",)
        self._domains = []  # the rest alone would be a smaller number, not a partly known one


def _number(path: Path) -> int:
    return int(path.read_text())
