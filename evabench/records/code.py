"""Which code was measured."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from evabench.settings.strict import Strict


@dataclass(frozen=True, slots=True, kw_only=True)
class Code(Strict):
    """The commit is for people; what tells two codes apart are the hashes."""

    version: str  # of evabench
    commit: str | None  # None: not a git checkout
    dirty: bool | None  # uncommitted changes in that checkout
    # By part: "shared" by all children, "optimizer", "workload" and "measurement" of the cell, and what is the user's:
    # "plug-in optimizer", "plug-in workload", "checkpoint". Until schema 8 "sources", of all children at once.
    hashes: Mapping[str, str]

    @property
    def identity(self) -> tuple[tuple[str, str], ...]:
        """Return what tells it from other code: an edit elsewhere, and a commit, make no run again."""
        return tuple(sorted(self.hashes.items()))

    @property
    def id(self) -> str:
        """Return hexadecimal digits, for people: of all hashes, or the one that there was until schema 8."""
        if "sources" in self.hashes:
            return self.hashes["sources"]
        return hashlib.sha256(json.dumps(self.identity).encode()).hexdigest()[:12]
