"""The stored runs of the suite `peers`, from which an audit tells how good an implementation is."""

import os
from functools import lru_cache
from pathlib import Path

import evabench
from evabench.claims.local import declared_claims
from evabench.claims.reading import claims_about
from evabench.errors import StoreError
from evabench.findings.public import PUBLIC_OPTIMIZERS, PublicRatio, public_ratios
from evabench.machine.code import is_of_this_code
from evabench.records.run import Run
from evabench.settings.claims import TRAINED
from evabench.store.files import RunStore
from evabench.suite.suite import Suite

_PEERS = "peers"  # the suite
# In a checkout alone: a wheel has no runs.
_COMMITTED = Path(evabench.__file__).parents[1] / "results" / "reference" / _PEERS / "runs.jsonl"


def stored_public(suite: Suite, results: Path | None, host_id: str) -> tuple[PublicRatio, ...]:
    """Return ours beside public implementations, of every host whose runs lie in the results or are committed.

    Without `results` the committed ones are all: what a page says does not depend on who makes it.

    Nothing is read where no base of a claim has a public counterpart, and a file that cannot be read is passed over.
    """
    if not _is_asked(suite):
        return ()
    own = sorted((results / _PEERS).glob("*/runs.jsonl")) if results and os.path.isdir(results) else []
    files = [path for path in (*own, _COMMITTED) if path.is_file()]
    return tuple(
        ratio
        for path in files
        for ratio in public_ratios(_runs(path, path.stat().st_mtime_ns), host_id=host_id, is_current=is_of_this_code)
    )


def _is_asked(suite: Suite) -> bool:
    """Return whether a claim about trainings has a base of a method that others implement too."""
    claims = [one for one in (*declared_claims(suite), *claims_about(suite)) if one.quantity in TRAINED]
    return suite.convergence is not None and any(
        settings.optimizer in PUBLIC_OPTIMIZERS and claim.is_base(name, settings.optimizer)
        for name, settings in suite.arms.items()
        for claim in claims
    )


@lru_cache(maxsize=4)
def _runs(path: Path, _written: int) -> tuple[Run, ...]:
    """Return the runs of a file as it was written then: a report looks once while a suite runs, and at its end."""
    try:
        return RunStore(path).load()
    except StoreError:
        return ()
