"""The suites and claims that ship with evabench, and what each suite says about itself, without building anything."""

import tomllib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import evabench


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedSuite:
    """What a list says about a suite."""

    name: str
    title: str
    tiers: tuple[str, ...]
    arms: tuple[str, ...]
    data: tuple[str, ...]  # names of data sets; "noise" where a workload makes its own
    claims: tuple[str, ...]  # its own, then those of papers that it can decide as stated


def shipped_suites() -> dict[str, Path]:
    """Return the files of the suites that ship with evabench, by name."""
    return {path.stem: path for path in _files("suites", "suites")}


def claim_files() -> tuple[Path, ...]:
    """Return the claim files that ship with evabench: Eva's, which the package is about, then the others by name."""
    found = _files("claims", "claims/files")
    return tuple(sorted(found, key=lambda path: (path.stem != "eva", path.stem)))


def list_shipped() -> tuple[ShippedSuite, ...]:
    """Return the suites that ship. Building one takes pydantic and every settings class, which a list needs not."""
    decided = _decided_claims()
    listed = []
    for name, path in shipped_suites().items():
        table = _read(path)
        listed.append(
            ShippedSuite(
                name=name,
                title=table["title"],
                tiers=tuple(table.get("tiers", ())),
                arms=tuple(table["arms"]),
                data=tuple(dict.fromkeys(_data(one) for one in table["workloads"].values())),
                claims=(*(claim["id"] for claim in table.get("claims", ())), *decided.get(name, ())),
            )
        )
    return tuple(listed)


def _decided_claims() -> Mapping[str, list[str]]:
    """Return the ids of the claims that ship by the suites that their files name."""
    decided: defaultdict[str, list[str]] = defaultdict(list)
    for path in claim_files():
        for claim in _read(path)["claims"]:
            for suite in claim.get("decided_by", ()):
                decided[suite].append(claim["id"])
    return decided


def _data(workload: Mapping[str, Any]) -> str:
    return str(workload.get("data", "noise"))


def _files(folder: str, packaged: str) -> list[Path]:
    package = Path(evabench.__file__).parent
    for place in (package / packaged, package.parent / folder):  # a wheel, a checkout
        if place.is_dir():
            return sorted(place.glob("*.toml"))
    return []


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
