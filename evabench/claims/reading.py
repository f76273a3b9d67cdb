"""A claim file -> claims, and those that ship with evabench. Every mistake of a file is told at once."""

import json
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

import evabench
from evabench.errors import SuiteError
from evabench.settings.claims import Claim
from evabench.settings.strict import Strict
from evabench.suite.mistakes import check_values, explain, optimizer_tags
from evabench.suite.suite import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFile(Strict):
    """A whole file: what somebody claimed in one place."""

    title: str
    claims: Annotated[tuple[Claim, ...], Field(min_length=1)]


def read_claims(path: Path) -> ClaimFile:
    """Return the claims of a file. Raises `SuiteError` with every mistake of it, one per line."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SuiteError(f"{path}: this is no TOML file: {error}") from None
    values = check_values(table)
    try:
        found = TypeAdapter(ClaimFile).validate_json(json.dumps(table, default=str), strict=True)
    except ValidationError as error:
        mistakes = [*values, *(explain(one, ClaimFile) for one in error.errors())]
    else:
        mistakes = [*values, *_problems(found.claims)]
        if not mistakes:
            return found
    raise SuiteError("\n".join(f"{path}: {mistake}" for mistake in mistakes))


@cache
def shipped_claims() -> tuple[Claim, ...]:
    """Return the claims of all files that ship with evabench, those of one file in a row."""
    package = Path(evabench.__file__).parent
    folders = (package / "claims" / "files", package.parent / "claims")  # a wheel, a checkout
    folder = next((one for one in folders if one.is_dir()), folders[0])
    return tuple(claim for path in sorted(folder.glob("*.toml")) for claim in read_claims(path).claims)


def claims_about(suite: Suite) -> tuple[Claim, ...]:
    """Return the claims that ship and that speak for an optimizer of this suite."""
    tags = {settings.optimizer for settings in suite.arms.values()}
    return tuple(claim for claim in shipped_claims() if claim.arm in tags)


def _problems(claims: Iterable[Claim]) -> Iterable[str]:
    """Yield what a claim file may not say: names of one suite, and tags that no settings have."""
    tags = optimizer_tags()
    listed = tuple(claims)
    for name, times in Counter(claim.id for claim in listed).items():
        if times > 1:
            yield f'[claims]: the id "{name}" is given {times} times'
    for claim in listed:
        place = f'[claims] "{claim.id}"'
        unknown = [tag for tag in (claim.arm, *claim.bases) if tag not in tags]
        yield from (f'{place}: "{tag}" is no optimizer. There are: {", ".join(tags)}' for tag in unknown)
        if claim.workloads:
            yield f"{place}: workloads are those of one suite. A claim file has conditions"
        if claim.headline:
            yield f"{place}: a headline is that of a suite"
        if claim.local:
            yield f"{place}: has no setting local: where a claim stands says it"
