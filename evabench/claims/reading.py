"""A claim file -> claims, and those that ship with evabench. Every mistake of a file is told at once."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from evabench.errors import ClaimFileError
from evabench.settings.claims import Claim
from evabench.settings.methods import METHODS, is_method, method_of
from evabench.settings.strict import Strict
from evabench.suite.mistakes import check_values, explain, optimizer_tags
from evabench.suite.shipped import claim_files, shipped_suites
from evabench.suite.suite import Suite
from evabench.suite.toml_file import read_table


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFile(Strict):
    """A whole file: what somebody claimed in one place."""

    title: str
    claims: Annotated[tuple[Claim, ...], Field(min_length=1)]


def read_claims(path: Path) -> ClaimFile:
    """Return the claims of a file. Raises `ClaimFileError` with every mistake of it, one per line."""
    table = read_table(path, ClaimFileError)
    values = check_values(table)
    try:
        found = TypeAdapter(ClaimFile).validate_json(json.dumps(table, default=str), strict=True)
    except ValidationError as error:
        mistakes = [*values, *(explain(one, ClaimFile) for one in error.errors())]
    else:
        mistakes = [*values, *_problems(found.claims)]
        if not mistakes:
            return found
    raise ClaimFileError("\n".join(f"{path}: {mistake}" for mistake in mistakes))


def read_claim_files(paths: Sequence[Path]) -> tuple[ClaimFile, ...]:
    """Return the claims of anyone's files. Raises `ClaimFileError` with every mistake of all of them."""
    found, mistakes = list[ClaimFile](), list[str]()
    taken = {claim.id: "a file that ships" for claim in shipped_claims()} if paths else {}
    for path in dict.fromkeys(paths):
        try:
            file = read_claims(path)
        except ClaimFileError as error:
            mistakes.append(str(error))
            continue
        mistakes += [
            f'{path}: [claims] "{claim.id}": {taken[claim.id]} has a claim of this id. Choose another'
            for claim in file.claims
            if claim.id in taken
        ]
        taken |= {claim.id: str(path) for claim in file.claims}
        found.append(file)
    if mistakes:
        raise ClaimFileError("\n".join(mistakes))
    return tuple(found)


@cache
def shipped_files() -> tuple[ClaimFile, ...]:
    """Return the claim files that ship with evabench: Eva's first, then the others by name."""
    return tuple(read_claims(path) for path in claim_files())


@cache
def shipped_claims() -> tuple[Claim, ...]:
    """Return the claims of all files that ship with evabench, those of one file in a row."""
    return tuple(claim for file in shipped_files() for claim in file.claims)


def claims_about(suite: Suite) -> tuple[Claim, ...]:
    """Return the claims that ship and that compare two optimizers of this suite."""
    return about(suite, shipped_claims())


def about(suite: Suite, claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """Return the claims that compare two optimizers of this suite."""
    methods = {method_of(settings) for settings in suite.arms.values()}
    return tuple(claim for claim in claims if claim.arm in methods and methods & set(claim.bases))


def _problems(claims: Iterable[Claim]) -> Iterable[str]:
    """Yield what a claim file may not say: names of one suite, and tags that no settings have."""
    tags = optimizer_tags()
    listed = tuple(claims)
    for name, times in Counter(claim.id for claim in listed).items():
        if times > 1:
            yield f'[claims]: the id "{name}" is given {times} times'
    for claim in listed:
        place = f'[claims] "{claim.id}"'
        unknown = [name for name in (claim.arm, *claim.bases) if not is_method(name, tags)]
        known = ", ".join((*(tag for tag in tags if tag != "plugin"), *METHODS))
        yield from (f'{place}: "{name}" is no optimizer. There are: {known}' for name in unknown)
        no_suites = [name for name in claim.decided_by if name not in shipped_suites()]
        yield from (f'{place}: decided_by: no suite "{name}" ships with evabench' for name in no_suites)
        if claim.workloads:
            yield f"{place}: workloads are those of one suite. A claim file has conditions"
        if claim.headline:
            yield f"{place}: a headline is that of a suite"
        if claim.local:
            yield f"{place}: has no setting local: where a claim stands says it"
