"""The suites that ship with evabench, and what each one says about itself, without checking or building anything."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

import evabench


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedSuite:
    """What a list says about a suite."""

    name: str
    title: str
    tiers: tuple[str, ...]
    arms: tuple[str, ...]


def shipped_suites() -> dict[str, Path]:
    """Return the files of the suites that ship with evabench, by name."""
    package = Path(evabench.__file__).parent
    for folder in (package / "suites", package.parent / "suites"):  # a wheel, a checkout
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob("*.toml"))}
    return {}


def list_shipped() -> tuple[ShippedSuite, ...]:
    """Return the suites that ship. Building one takes pydantic and every settings class, which a list needs not."""
    listed = []
    for name, path in shipped_suites().items():
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        listed.append(
            ShippedSuite(
                name=name, title=table["title"], tiers=tuple(table.get("tiers", ())), arms=tuple(table["arms"])
            )
        )
    return tuple(listed)
