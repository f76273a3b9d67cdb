"""Names of a suite: those that are no folder, that cannot be shown, or that nobody tells apart."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

# A suite's name is a folder of results and one of reports.
_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# Letters that look like Latin ones: Cyrillic, then Greek.
_LOOKS_LIKE = str.maketrans(
    "\u0410\u0412\u0415\u0405\u0406\u0408\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425"
    "\u0430\u0435\u0455\u0456\u0458\u043e\u0440\u0441\u0443\u0445"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf\u03bd",
    "ABESIJKMHOPCTYXaesijopcyxABEZHIKMNOPTYXov",
)


def check_names(table: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with names: a folder outside of the results, or one that nobody can read or tell apart."""
    mistakes, name = [], table.get("name", "")
    if "name" in table and not (isinstance(name, str) and _FOLDER.fullmatch(name)):
        mistakes.append(
            "top level: name is that of a folder, 1 to 100 letters, digits and .-_ that begin with a letter or digit, "
            f"got {name!r}"
        )
    named = {"title": [table.get("title")], "workloads": table.get("workloads"), "arms": table.get("arms")}
    for place, names in named.items():
        words = [one for one in names or () if isinstance(one, str)]
        mistakes += [f"{place}: {one!r} has characters that cannot be shown" for one in words if not one.isprintable()]
        if place != "title":
            mistakes += [f"{place}: {problem}" for problem in _indistinct(words)]
    return mistakes


def _indistinct(names: Iterable[str]) -> list[str]:
    problems, seen = [], dict[str, str]()
    for name in names:
        if not name.strip():
            problems.append(f"{name!r} is no name: give it a letter at least")
        elif name != name.strip():
            problems.append(f"{name!r} begins or ends with a space, which no table shows: take it out")
        twin = seen.setdefault(_appearance(name), name)
        if twin != name:
            problems.append(f"{twin!r} and {name!r} ({_spelled(twin, name)}) look alike: rename one of them")
    return problems


def _appearance(name: str) -> str:
    """Return what people see: composed, with one kind of space, and Latin letters for those that look like them."""
    return " ".join(unicodedata.normalize("NFKC", name).translate(_LOOKS_LIKE).split())


def _spelled(one: str, other: str) -> str:
    return f"{ascii(one)[1:-1]} and {ascii(other)[1:-1]}"
