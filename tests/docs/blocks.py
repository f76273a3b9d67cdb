"""The code blocks of the pages, and the commands in them."""

import re
import shlex
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("README.md", "CONTRIBUTING.md", "docs/**/*.md", "results/**/README.md", "reports/README.md")
    for path in ROOT.glob(pattern)
)
_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$", re.M | re.S)
_TITLE = re.compile(r'title="([^"]+)"')


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    language: str
    title: str  # the file that the block is; "" where it is none
    text: str

    @property
    def place(self):
        return f"{self.page}:{self.line}"

    @property
    def key(self):
        """Return the page and the first table of a part of a suite; of arms, the name of the first one."""
        first, inner = next(iter(tomllib.loads(self.text).items()))
        return self.page, next(iter(inner)) if first == "arms" else first


@dataclass(frozen=True)
class Command:
    page: str
    line: int
    text: str


def blocks(page):
    """Return the fenced blocks of a page, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [
        Block(
            page=page,
            line=text.count("\n", 0, found.start()) + 1,
            language=(found["info"].split() or [""])[0],
            title=titled[1] if (titled := _TITLE.search(found["info"])) else "",
            text=textwrap.dedent(found["text"]),
        )
        for found in _FENCE.finditer(text)
    ]


def all_blocks():
    """Yield every block of every page."""
    for page in PAGES:
        yield from blocks(page)


def commands(page):
    """Return the commands of a page's `sh` blocks, without comments."""
    return [
        Command(page, block.line + number, command)
        for block in blocks(page)
        if block.language == "sh"
        for number, line in enumerate(block.text.splitlines(), start=1)
        if (command := without_comment(line))
    ]


def without_comment(line):
    """Return a line of a shell without its comment."""
    return re.sub(r"(^|\s)#.*$", "", line).strip()


def inline_commands(page) -> Iterator[list[str]]:
    """Yield the words of what stands in the text between backticks and looks like a command."""
    text = _FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))
    for found in re.finditer(r"`((?:evabench|make|python3?) [^`]+)`", text):
        yield shlex.split(" ".join(found[1].split()))


def single_calls(command):
    """Yield the words of each call in a command: both sides of `&&`, and what is inside of a loop."""
    for part in re.split(r"&&|\|\||;|\bdo\b", command):
        words = shlex.split(part)
        if words[:1] and words[0] in ("evabench", "make", "python", "python3"):
            yield words
