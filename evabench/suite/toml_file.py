"""A TOML file that a person wrote -> its table; what is none is told in our words, whatever lies in the file."""

import re
import tomllib
from pathlib import Path
from typing import Any

from evabench.errors import EvabenchError

_MOST_DEEP = 50  # tables and lists in each other
_DEEP = "this cannot be read: brackets lie too deep in each other"


def read_table(path: Path, wrong: type[EvabenchError]) -> dict[str, Any]:
    """Return the table of a file. Raises `wrong`, with the file and the reason, where there is none."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors begin a file with a mark
    except OSError as error:
        raise wrong(f"{path}: it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise wrong(f"{path}: this is no TOML file: {error}") from None
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise wrong(f"{path}: this is no TOML file: {_conflict(text) or error}") from None
    except ValueError:
        raise wrong(f"{path}: this cannot be read: a number, date or time in it is none") from None
    except RecursionError:
        raise wrong(f"{path}: {_DEEP}") from None
    if _is_deep(table):
        raise wrong(f"{path}: {_DEEP}")
    return table


def _is_deep(table: dict[str, Any]) -> bool:
    """Return whether values lie in each other deeper than in any file of people; readers of JSON give up at 200."""
    layer: list[Any] = [table]
    for _ in range(_MOST_DEEP):
        groups = [one.values() if isinstance(one, dict) else one for one in layer if isinstance(one, dict | list)]
        layer = [value for group in groups for value in group]
    return bool(layer)


def _conflict(text: str) -> str | None:
    """Return in words where git has left a conflict, None where it has not."""
    for number, line in enumerate(text.splitlines(), start=1):
        if re.match(r"(<{7}|={7}|>{7})(\s|$)", line):
            return f"line {number} is a mark of git's: two versions conflict there. Keep one of them"
    return None
