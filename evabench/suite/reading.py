"""A suite file, or the name of one that ships -> a suite."""

import json
import os
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from evabench.errors import SuiteError
from evabench.suite.ablations import check_ablations, with_ablations, without_ablations
from evabench.suite.claims import check_claims
from evabench.suite.layout import arranged
from evabench.suite.located import located
from evabench.suite.mistakes import (
    FINITE,
    check_closures,
    check_gate,
    check_own_fields,
    check_scaled_closures,
    check_tiers,
    check_values,
    cross_check,
    explain,
)
from evabench.suite.names import check_names
from evabench.suite.shipped import shipped_suites
from evabench.suite.suite import Suite
from evabench.suite.toml_file import read_table


def load_suite(place: str, tier: str | None = None, device: str | None = None) -> Suite:
    """Return a suite at one of its tiers; without a tier, one that has tiers comes at "laptop", or at its first.

    `device` is the kind that takes the place of the suite's own.

    Raises `SuiteError` as `read_suite` does, and where there is no such tier.
    """
    suite = read_suite(place)
    if tier is None and suite.tiers:
        tier = "laptop" if "laptop" in suite.tiers else next(iter(suite.tiers))
    chosen = suite if tier is None else suite.at(tier)
    return chosen if device is None else replace(chosen, device=device)


def read_suite(place: str) -> Suite:
    """Return the whole suite of a file, or of a name among those that ship with evabench, with all its tiers.

    Raises `SuiteError` with every mistake of the file, one per line.
    """
    path = _find(place)
    table = read_table(path, SuiteError)
    names, values = [*check_names(table), *check_own_fields(table)], check_values(table)
    plain = json.dumps(arranged(without_ablations(table)), default=str)
    try:
        suite = TypeAdapter(Suite).validate_json(plain, strict=True)
    except ValidationError as error:
        told = [explain(one) for one in error.errors()]
        told = [one for one in told if not (values and FINITE in one)]  # those are among the values
        mistakes = [*names, *values, *told]
        raise SuiteError("\n".join(f"{path}: {mistake}" for mistake in mistakes)) from None
    suite = with_ablations(suite, table)
    alone = (check_closures(suite), check_scaled_closures(suite), check_gate(suite), check_ablations(suite, table))
    mistakes = [*names, *values, *(mistake for found in alone for mistake in found)] + (
        check_tiers(suite)
        or [mistake for one in (suite, *map(suite.at, suite.tiers)) for mistake in cross_check(one)]
        + check_claims(suite)
    )
    if mistakes:
        raise SuiteError("\n".join(f"{path}: {mistake}" for mistake in mistakes))
    return located(suite, path.parent)


def _find(place: str) -> Path:
    path = Path(place)
    if os.path.isfile(path):  # not the method, which falls over a name that is too long
        return path
    shipped = shipped_suites()
    if place in shipped:
        return shipped[place]
    raise SuiteError(f'there is no suite "{place}": no such file, and the suites that ship are {", ".join(shipped)}')
