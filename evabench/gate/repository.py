"""What git knows of the two sides of a change: their trees, their files, and the lines that differ."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from evabench.errors import GateError

_SHORT = 9
_FILE = re.compile(r"^\+\+\+ b/(.*)$")
_PLACE = re.compile(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One side of a change, as git has it."""

    title: str  # for people: "main (8329be589)", "the working tree"
    tree: str
    commit: str | None  # None: what is not committed


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A git repository. Nothing is written to it: indexes and new objects lie in a folder of ours."""

    root: Path
    scratch: Path

    def revision(self, name: str) -> Revision:
        """Return what a name stands for. Raises `GateError` where git does not know it."""
        commit = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", missing=name)
        tree = self._git("rev-parse", f"{commit}^{{tree}}")
        short = commit[:_SHORT]
        return Revision(title=short if commit.startswith(name) else f"{name} ({short})", tree=tree, commit=commit)

    def working_tree(self) -> Revision:
        """Return what lies in the working tree now, untracked files that git does not ignore included."""
        index = {"GIT_INDEX_FILE": str(self.scratch / "working-tree.index")}
        self._git("read-tree", "HEAD", environment=index)
        self._git("add", "--all", ".", environment=index)
        return Revision(title="the working tree", tree=self._git("write-tree", environment=index), commit=None)

    def lay_out(self, revision: Revision, folder: Path) -> None:
        """Write the files of a revision into a folder that is not there yet."""
        folder.mkdir(parents=True)
        index = {"GIT_INDEX_FILE": str(self.scratch / "lay-out.index")}
        self._git("read-tree", revision.tree, environment=index)
        self._git("checkout-index", "--all", f"--prefix={folder}/", environment=index)

    def changed_files(self, base: Revision, head: Revision) -> tuple[str, ...]:
        """Return the files that differ, those that only one side has included."""
        names = self._git("diff", "--name-only", "--no-renames", "-z", base.tree, head.tree)
        return tuple(name for name in names.split("\0") if name)

    def changed_lines(self, base: Revision, head: Revision) -> Mapping[str, frozenset[int]]:
        """Return the lines of the head that the change has written, by file."""
        words = ("diff", "--unified=0", "--no-renames", "--no-color", "--no-ext-diff", "--src-prefix=a/")
        found: dict[str, set[int]] = {}
        lines: set[int] = set()
        for line in self._git(*words, "--dst-prefix=b/", base.tree, head.tree).splitlines():
            if named := _FILE.match(line):
                lines = found.setdefault(named[1], set())
            elif place := _PLACE.match(line):
                start, count = int(place[1]), int(place[2] or 1)
                lines.update(range(start, start + count))
        return {name: frozenset(each) for name, each in found.items() if each}

    def _git(self, *words: str, environment: Mapping[str, str] | None = None, missing: str | None = None) -> str:
        """Return what a command of git's prints. `missing` is the name that its failure says nothing stands behind."""
        # Inside of a hook, git's own variables name the repository of the hook, whatever folder is asked for.
        ours = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        objects = self.scratch / "objects"
        objects.mkdir(parents=True, exist_ok=True)
        ours |= {
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_OBJECT_DIRECTORY": str(objects),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(_objects_of(self.root)),
            **(environment or {}),
        }
        command = [
            "git",
            "-C",
            str(self.root),
            "-c",
            "core.quotePath=false",
            "-c",
            "advice.addEmbeddedRepo=false",
            *words,
        ]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=ours)
        if done.returncode == 0:
            return done.stdout.strip("\n")
        if missing is not None:
            raise GateError(
                f'git knows no commit "{missing}" in {self.root}. A shallow clone has no history: fetch it first '
                "(git fetch --unshallow, or fetch-depth: 0 of actions/checkout)"
            )
        raise GateError(f"git {words[0]} failed in {self.root}: {done.stderr.strip() or done.returncode}")


def find_repository(folder: Path, scratch: Path) -> Repository:
    """Return the repository that a folder lies in. Raises `GateError` where there is none, or no git."""
    if shutil.which("git") is None:
        raise GateError("a gate compares two commits, and there is no git here: install it")
    ours = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(folder), "rev-parse", "--show-toplevel"]
    done = subprocess.run(command, capture_output=True, text=True, env=ours)
    if done.returncode != 0:
        raise GateError(f"{folder} lies in no git repository: name one, --project PATH. {done.stderr.strip()}")
    return Repository(root=Path(done.stdout.strip()), scratch=scratch)


def _objects_of(root: Path) -> Path:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(root), "rev-parse", "--path-format=absolute", "--git-path", "objects"]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True, env=ours).stdout.strip())
