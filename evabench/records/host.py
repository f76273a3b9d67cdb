"""Where a run was made: what the machine is."""

import hashlib
import json
from dataclasses import dataclass

from evabench.settings.identity import identity
from evabench.settings.strict import Strict
from evabench.units import Bytes


class _Remembering(Strict):
    """A host is asked for its id at every run, and does not change."""

    __slots__ = ("_id",)
    _id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Processor(Strict):
    """One kind of processor, by the numbers that its maker gives it. None: the system does not say."""

    name: str  # for people; where the system has no name, the architecture
    vendor: str | None = None  # on ARM the implementer
    family: str | None = None
    model: str | None = None  # on ARM the part
    revision: str | None = None  # on ARM


@dataclass(frozen=True, slots=True, kw_only=True)
class Host(_Remembering):
    """What the machine is. No host name, boot id, load or limit: two equal machines have one id."""

    processors: tuple[Processor, ...]  # each kind once
    num_cpus: int | None  # of the machine; None: a run from before it was read
    memory_bytes: Bytes
    gpus: tuple[str, ...]
    gpu_driver: str | None
    system: str  # kernel and architecture
    python: str

    @property
    def cpu(self) -> str:
        """Return the names of its processors."""
        return ", ".join(dict.fromkeys(processor.name for processor in self.processors))

    @property
    def id(self) -> str:
        """Return 12 hexadecimal digits, made once; runs of different hosts are never pooled."""
        try:
            return self._id
        except AttributeError:
            canonical = json.dumps(identity(self), sort_keys=True)
            object.__setattr__(self, "_id", hashlib.sha256(canonical.encode()).hexdigest()[:12])
            return self._id
