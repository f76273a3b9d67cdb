"""An environment for each side, where the sides ask for other packages: one interpreter is not right for both then.

Each lies over what the interpreter has that runs the gate, so that torch is not installed twice; pip puts in front of
it what the checkout asks for and finds missing or of another version. Both sides get one, also where only one needs it.
Lock files and setup.py are not read: a change of these alone is told, and is not tested.
"""

import json
import subprocess
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from evabench.errors import GateError
from evabench.gate.dependencies import differing_dependencies
from evabench.gate.pairs import SIDES, Side

_READABLE = "pyproject.toml"
_SHOWN_PACKAGES, _SHOWN_LINES = 6, 5
_SITES = "import json, site, sysconfig; print(json.dumps([*site.getsitepackages(), sysconfig.get_path('purelib')]))"
_VERSIONS = (
    "import json; from importlib.metadata import distributions as d;"
    "print(json.dumps({one.name: one.version for one in reversed(list(d()))}))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environments:
    """The interpreters of both sides, and what there is to say about them."""

    pythons: Mapping[Side, str]
    differing: tuple[str, ...] = ()  # files by which the sides ask for other packages, and which nothing was made of
    made: str | None = None  # a sentence; None: both sides run with what they were given
    packages: Mapping[Side, Mapping[str, str]] = field(default_factory=dict)


def environments_of(
    pythons: Mapping[Side, str], places: Mapping[Side, Path], scratch: Path, tell: Callable[[str], None]
) -> Environments:
    """Return the interpreters to use: those that were named, or new ones where the sides ask for other packages.

    Raises `GateError` where pip cannot install what a side asks for.
    """
    differing = differing_dependencies(places["base"], places["head"])
    if pythons["base"] != pythons["head"] or not differing:
        return Environments(pythons=pythons)
    readable = tuple(name for name in differing if name == _READABLE or name.startswith("requirements"))
    if not readable:
        return Environments(pythons=pythons, differing=differing)
    tell(f"the sides ask for other packages ({', '.join(readable)}): an environment is made for each")
    made = {side: _make(scratch / f"environment-{side}", places[side], pythons[side], side) for side in SIDES}
    packages = {side: json.loads(_run([python, "-c", _VERSIONS], side)) for side, python in made.items()}
    sentence = f"The sides ask for other packages ({', '.join(readable)}): each ran in an environment of its own"
    return Environments(pythons=made, made=f"{sentence}; {_difference(packages)}.", packages=packages)


def _make(folder: Path, checkout: Path, python: str, side: Side) -> str:
    _run([python, "-m", "venv", "--without-pip", str(folder)], side)
    own = str(folder / "bin" / "python")
    below = json.loads(_run([python, "-c", _SITES], side))
    site = Path(json.loads(_run([own, "-c", _SITES], side))[-1])
    # A path in a .pth file comes behind the environment's own packages.
    (site / "evabench-below.pth").write_text("".join(f"{place}\n" for place in dict.fromkeys(below)), encoding="utf-8")
    wanted = _wanted(checkout)
    if wanted:
        _run([python, "-m", "pip", "--python", own, "install", "--quiet", "--no-input", *wanted], side, checkout)
    return own


def _wanted(checkout: Path) -> list[str]:
    """Return what pip is to install: the project's dependencies and its requirements, but not the project."""
    try:
        project = tomllib.loads((checkout / _READABLE).read_text(encoding="utf-8")).get("project", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        project = {}
    needed = project.get("dependencies") if isinstance(project, dict) else None
    # A requirement begins with a name: what begins with a dash would be an option of pip's.
    words = [one for one in needed if isinstance(one, str) and one[:1].isalnum()] if isinstance(needed, list) else []
    files = (path for path in sorted(checkout.glob("requirements*.txt")) if path.is_file())
    return [*words, *(word for path in files for word in ("--requirement", str(path)))]


def _run(command: list[str], side: Side, folder: Path | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", cwd=folder)
    if done.returncode == 0:
        return done.stdout
    last = "\n".join((done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-_SHOWN_LINES:])
    raise GateError(
        f"no environment could be made for the {side}:\n{last}\nMake one yourself, and name its interpreter: "
        f"--{side}-python PATH"
    )


def _difference(packages: Mapping[Side, Mapping[str, str]]) -> str:
    base, head = packages["base"], packages["head"]
    names = [name for name in sorted({*base, *head}) if base.get(name) != head.get(name)]
    words = [f"{name} {base.get(name, 'none')} / {head.get(name, 'none')}" for name in names[:_SHOWN_PACKAGES]]
    more = len(names) - len(words)
    return ("base / head: " + ", ".join(words) if words else "pip found the same for both") + (
        f" and {more} more" if more else ""
    )
