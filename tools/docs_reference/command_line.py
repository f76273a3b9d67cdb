"""The command line as a page: every verb with its arguments and options, from the signatures that typer reads."""

import inspect
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from typer.models import ArgumentInfo, OptionInfo

from evabench.cli.verbs import VERBS
from tools.docs_reference.words import head, table


def command_line_page() -> str:
    """Return the page."""
    links = ((f"[`{name}`](#evabench-{name})", verb.help) for name, verb in VERBS.items())
    verbs = table(("verb", "what it does"), links)
    return "\n".join([head("command-line.md"), *verbs, *(line for name in VERBS for line in _verb(name))]) + "\n"


def _verb(name: str) -> Iterator[str]:
    function = VERBS[name].load()
    parameters = _parameters(function)
    arguments = [(one, info) for one, info in parameters if isinstance(info, ArgumentInfo)]
    options = [(one, info) for one, info in parameters if isinstance(info, OptionInfo)]
    words = [_argument(one, info) for one, info in arguments]
    yield f"\n## evabench {name}\n"
    yield f"`{' '.join(['evabench', name, *words, *(['[OPTIONS]'] if options else [])])}`\n"
    yield f"{VERBS[name].help}\n"
    if arguments:
        told = ((f"`{_metavar(one, info)}`", _help(one, info)) for one, info in arguments)
        yield from table(("argument", "what it is"), told)
        yield ""
    if options:
        rows = ((f"`{_option(one, info)}`", _help(one, info), _default(one, info)) for one, info in options)
        yield from table(("option", "what it does", "default"), rows)


def _parameters(function: Any) -> list[tuple[inspect.Parameter, Any]]:
    hints = get_type_hints(function, include_extras=True)
    found = []
    for one in inspect.signature(function).parameters.values():
        kind, info = get_args(hints[one.name])[:2]
        found.append((one.replace(annotation=kind), info))
    return found


def _argument(one: inspect.Parameter, info: Any) -> str:
    word = _metavar(one, info) + ("..." if _is_list(one.annotation) else "")
    return word if one.default is inspect.Parameter.empty else f"[{word}]"


def _option(one: inspect.Parameter, info: Any) -> str:
    told = (info.default, *(info.param_decls or ()))  # typer has the first word of an annotation as its default
    words = (word for word in told if isinstance(word, str) and word.startswith("--"))
    name = next(words, f"--{one.name.replace('_', '-')}")
    return name if one.annotation is bool else f"{name} {_metavar(one, info)}"


def _metavar(one: inspect.Parameter, info: Any) -> str:
    told = str(info.metavar or one.name.upper())
    return one.name.upper() if "|" in told else told


def _help(one: inspect.Parameter, info: Any) -> str:
    words = [str(info.help or "").partition("[default:")[0].rstrip()]
    if choices := _choices(one, info):
        words.append(f"One of {', '.join(f'`{choice}`' for choice in choices)}.")
    if isinstance(info, OptionInfo) and _is_list(one.annotation):
        words.append("May be given several times.")
    return " ".join(words)


def _choices(one: inspect.Parameter, info: Any) -> list[str]:
    kinds = [kind for kind in (one.annotation, *get_args(one.annotation)) if inspect.isclass(kind)]
    listed = [str(member.value) for kind in kinds if issubclass(kind, Enum) for member in kind]
    return listed or (str(info.metavar).split("|") if "|" in str(info.metavar) else [])


def _default(one: inspect.Parameter, info: Any) -> str:
    told = str(info.help or "").partition("[default:")[2]
    if told:
        return told.rstrip().removesuffix("]").strip()
    if one.default is None or one.annotation is bool or info.show_default is False:
        return ""
    value = one.default.value if isinstance(one.default, Enum) else one.default
    return f"`{value.as_posix() if isinstance(value, Path) else value}`"


def _is_list(annotation: Any) -> bool:
    parts = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    return any(get_origin(part) is list for part in parts)


def options_of(verb: str) -> frozenset[str]:
    """Return the options that a verb has, and `--help`."""
    parameters = _parameters(VERBS[verb].load())
    names = (_option(one, info).split()[0] for one, info in parameters if isinstance(info, OptionInfo))
    return frozenset((*names, "--help"))
