"""Where a run was made: what the machine is, and what was measured there."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from evabench.settings.strict import Strict
from evabench.units import Bytes


class _Remembering(Strict):
    """A host is asked for its id at every run, and does not change."""

    __slots__ = ("_id",)
    _id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Host(_Remembering):
    """What the machine is. No host name, boot id or load: two equal machines have one id."""

    cpu: str
    num_cpus: int  # that this process may use
    memory_bytes: Bytes
    memory_limit_bytes: Bytes | None  # of the control group; None: unlimited
    cpu_limit: float | None  # of the control group, in CPUs; None: unlimited
    gpus: tuple[str, ...]
    gpu_driver: str | None
    system: str  # kernel and distribution
    python: str
    packages: Mapping[str, str]  # versions of what takes part in a step

    @property
    def id(self) -> str:
        """Return 12 hexadecimal digits, made once; runs of different hosts are never pooled."""
        try:
            return self._id
        except AttributeError:
            canonical = json.dumps(asdict(self), sort_keys=True)
            object.__setattr__(self, "_id", hashlib.sha256(canonical.encode()).hexdigest()[:12])
            return self._id
