"""`results/<suite>/<host.id>/asked.json`: what the last `evabench run` of a suite asked for, for other verbs."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from evabench.records.codec import decode, encode
from evabench.settings.strict import Strict
from evabench.store.lines import cannot_write_results


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Strict):
    """The options of a run that say how much of its suite is meant. None: the suite's own."""

    tier: str | None = None
    seeds: int | None = None
    device: str | None = None  # its kind

    @property
    def words(self) -> str | None:
        """Return "tier smoke, --seeds 1"; None where nothing was asked for."""
        said = [f"tier {self.tier}"] if self.tier else []
        said += [f"--seeds {self.seeds}"] if self.seeds else []
        said += [f"--device {self.device}"] if self.device else []
        return ", ".join(said) or None


class AskedFile:
    """The file of it. Losing it loses nothing: then a verb means what the suite says."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Asked:
        """Return what was asked for; nothing where there is no such file, or nobody can read it."""
        try:
            return decode(Asked, self._path.read_bytes())
        except (OSError, ValidationError):
            return Asked()

    def write(self, asked: Asked) -> None:
        """Keep it for the verbs that follow. Raises `OutputError` where it cannot be written."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(encode(Asked, asked) + "\n")
        except OSError as error:
            raise cannot_write_results(self._path, error) from error
